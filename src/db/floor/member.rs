//! An agent's place in a group: the group's name, or a table where priority or weight differ from 1.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Member {
    pub group: String,
    /// Lower is asked first (C3).
    pub priority: i32,
    /// Higher comes first among the agent's groups (C3).
    pub weight: i32,
}

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if (self.priority, self.weight) == (1, 1) {
            return s.serialize_str(&self.group);
        }
        let mut fields = s.serialize_struct("Member", 3)?;
        fields.serialize_field("group", &self.group)?;
        fields.serialize_field("priority", &self.priority)?;
        fields.serialize_field("weight", &self.weight)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(MemberVisitor)
    }
}

struct MemberVisitor;

impl<'de> Visitor<'de> for MemberVisitor {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a group's name, or { group = \"…\", priority = 1, weight = 1 }")
    }

    fn visit_str<E: Error>(self, group: &str) -> Result<Member, E> {
        Ok(Member { group: group.to_owned(), priority: 1, weight: 1 })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Member, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            group: String,
            #[serde(default = "one")]
            priority: i32,
            #[serde(default = "one")]
            weight: i32,
        }
        fn one() -> i32 {
            1
        }
        let Table { group, priority, weight } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Member { group, priority, weight })
    }
}
