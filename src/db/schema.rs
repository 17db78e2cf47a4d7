//! The tables of `migrations/`, as diesel sees them.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    phones (id) {
        id -> Integer,
        name -> Text,
        sip_user -> Text,
        addr -> Nullable<Text>,
        transport -> Nullable<Text>,
        md5 -> Bool,
        realm -> Nullable<Text>,
        ha1 -> Nullable<Text>,
    }
}

table! {
    phone_bindings (sip_user) {
        sip_user -> Text,
        bindings -> Text,
        clock_began_at -> BigInt,
    }
}

table! {
    agents (id) {
        id -> Integer,
        number -> Text,
        name -> Text,
        nickname -> Nullable<Text>,
        email -> Text,
        role -> Text,
        active -> Bool,
        password_hash -> Nullable<Text>,
        must_change_password -> Bool,
        mobile -> Nullable<Text>,
        automatic_answer -> Nullable<Bool>,
        phone_id -> Nullable<Integer>,
        chosen_state -> Nullable<Text>,
        chosen_reason -> Nullable<Text>,
        epoch -> BigInt,
        created_at -> BigInt,
        avatar_at -> Nullable<BigInt>,
        mobile_answering -> Bool,
        mobile_outbound -> Bool,
    }
}

table! {
    avatars (agent_id) {
        agent_id -> Integer,
        kind -> Text,
        image -> Binary,
    }
}

table! {
    skill_groups (id) {
        id -> Integer,
        name -> Text,
        active -> Bool,
        strategy -> Text,
        ring_ms -> BigInt,
        wrap_up_ms -> Nullable<BigInt>,
        automatic_answer -> Bool,
        misses -> Integer,
        last_agent_wait_ms -> BigInt,
        max_wait_ms -> Nullable<BigInt>,
        max_wait_prompt -> Nullable<Text>,
        max_wait_group_id -> Nullable<Integer>,
        max_queue -> Nullable<Integer>,
        max_queue_prompt -> Nullable<Text>,
        max_queue_group_id -> Nullable<Integer>,
        no_agent_prompt -> Nullable<Text>,
        no_agent_group_id -> Nullable<Integer>,
        welcome -> Nullable<Text>,
        music -> Text,
        announce_position_ms -> Nullable<BigInt>,
        announcement -> Nullable<Text>,
        announce_every_ms -> BigInt,
        record -> Bool,
    }
}

table! {
    group_members (group_id, agent_id) {
        group_id -> Integer,
        agent_id -> Integer,
        priority -> Integer,
        weight -> Integer,
    }
}

table! {
    trunks (id) {
        id -> Integer,
        name -> Text,
        transport -> Text,
        max_channels -> Nullable<Integer>,
        max_calls_per_second -> Nullable<Integer>,
        options_every_ms -> BigInt,
        max_outbound -> Nullable<Integer>,
        max_outbound_a_day -> Nullable<Integer>,
        digits -> Text,
        outcomes -> Text,
    }
}

table! {
    trunk_hosts (trunk_id, position) {
        trunk_id -> Integer,
        position -> Integer,
        addr -> Text,
    }
}

table! {
    numbers (id) {
        id -> Integer,
        did -> Text,
        trunk_id -> Nullable<Integer>,
        group_id -> Integer,
        early_media -> Bool,
    }
}

table! {
    flows (id) {
        id -> Integer,
        name -> Text,
        enabled -> Bool,
        definition -> Text,
    }
}

table! {
    settings (key) {
        key -> Text,
        value -> Text,
    }
}

table! {
    sessions (token_hash) {
        token_hash -> Binary,
        agent_id -> Integer,
        epoch -> BigInt,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
    }
}

table! {
    sms_codes (id) {
        id -> BigInt,
        mobile -> Text,
        purpose -> Text,
        code_hash -> Text,
        sent_at -> BigInt,
        tries -> Integer,
        used -> Bool,
    }
}

table! {
    sms_outbox (id) {
        id -> BigInt,
        at -> BigInt,
        mobile -> Text,
        text -> Text,
    }
}

table! {
    agent_states (id) {
        id -> BigInt,
        agent_id -> Integer,
        state -> Text,
        reason -> Nullable<Text>,
        at -> BigInt,
    }
}

table! {
    calls (id) {
        id -> Text,
        trunk_id -> Nullable<Integer>,
        caller -> Text,
        contact -> Text,
        customer -> Text,
        began_at -> BigInt,
        ended_at -> BigInt,
        status -> Text,
        hung_up_by -> Text,
        recording_began_at -> Nullable<BigInt>,
    }
}

table! {
    service_records (id) {
        id -> Text,
        call_id -> Text,
        segment -> Integer,
        call_type -> Text,
        at -> BigInt,
        status -> Text,
        hung_up_by -> Text,
        group_id -> Nullable<Integer>,
        agent_id -> Nullable<Integer>,
        duration_ms -> BigInt,
        wait_ms -> BigInt,
        ring_ms -> BigInt,
        hold_ms -> BigInt,
        mos -> Nullable<Float>,
        remark -> Text,
        disposition -> Text,
        recording_from_ms -> Nullable<BigInt>,
        recording_to_ms -> Nullable<BigInt>,
        flows -> Text,
    }
}

table! {
    recordings (call_id) {
        call_id -> Text,
        state -> Text,
        path -> Text,
        began_at -> BigInt,
        duration_ms -> BigInt,
    }
}

table! {
    customers (number) {
        number -> Text,
        name -> Text,
        remark -> Text,
        changed_by -> Integer,
        changed_at -> BigInt,
    }
}

table! {
    blocklist (id) {
        id -> Integer,
        number -> Text,
        digits -> Text,
        is_prefix -> Bool,
        expires_at -> Nullable<BigInt>,
        note -> Text,
        added_by -> Nullable<Integer>,
        added_at -> BigInt,
    }
}

table! {
    dispositions (id) {
        id -> Integer,
        name -> Text,
        position -> Integer,
        enabled -> Bool,
    }
}

joinable!(agents -> phones (phone_id));
joinable!(sessions -> agents (agent_id));
joinable!(service_records -> calls (call_id));
joinable!(service_records -> agents (agent_id));
joinable!(service_records -> skill_groups (group_id));
joinable!(blocklist -> agents (added_by));

allow_tables_to_appear_in_same_query!(phones, agents, skill_groups, group_members, sessions, calls, service_records, recordings, blocklist);
