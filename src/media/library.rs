//! The sounds by name: those that come with Cordboard, and the operator's own WAV files.

use crate::shipped;
use crate::sound::{Sound, SoundError};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The sounds in memory and the folder of the others.
#[derive(Debug)]
pub struct Library {
    sounds: HashMap<String, Arc<Sound>>,
    /// Shipped sounds in whose place the operator has put a file: for when that cannot be played.
    replaced: HashMap<String, Arc<Sound>>,
    folder: Option<PathBuf>,
}

impl Library {
    /// Makes the shipped sounds ready and looks which of them the folder has files for.
    pub fn new(folder: Option<PathBuf>) -> Self {
        let own = |name: &str| file_in(folder.as_deref(), name).is_some_and(|path| path.is_file());
        let (replaced, sounds) = shipped::sounds().into_iter().partition(|(name, _)| own(name));
        Library { sounds, replaced, folder }
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Sound>> {
        self.sounds.get(name)
    }

    /// Takes what became of a file. One that cannot be played is the shipped sound of its name, or nothing to hear: whoever waits for its end goes
    /// on at once.
    pub fn loaded(&mut self, name: &str, result: Result<Sound, SoundError>) -> Arc<Sound> {
        let sound = match result {
            Ok(sound) => Arc::new(sound),
            Err(error) => {
                tracing::warn!(sound = name, %error, "cannot be played");
                let Some(shipped) = self.replaced.get(name) else { return Arc::new(Sound::new(&[])) };
                Arc::clone(shipped)
            }
        };
        self.sounds.insert(name.to_owned(), Arc::clone(&sound));
        sound
    }

    /// The file that a name stands for; `None` when there is no folder or the name could lead out of it.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        file_in(self.folder.as_deref(), name)
    }
}

fn file_in(folder: Option<&Path>, name: &str) -> Option<PathBuf> {
    let harmless =
        !name.is_empty() && !name.starts_with('.') && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '));
    Some(folder.filter(|_| harmless)?.join(format!("{name}.wav")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::Law;
    use crate::sound::load;
    use crate::sound::tests::write_wav;

    #[test]
    fn names_stay_in_their_folder() {
        let library = Library::new(Some(PathBuf::from("/sounds")));
        assert_eq!(library.file("sale of the week"), Some(PathBuf::from("/sounds/sale of the week.wav")));
        for name in ["../x", "a/b", "", ".hidden", "a\0b"] {
            assert_eq!(library.file(name), None, "{name:?}");
        }
    }

    #[test]
    fn an_operators_file_takes_the_place_of_the_shipped_sound_unless_it_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["welcome", "busy"] {
            write_wav(&folder.path().join(format!("{name}.wav")), 8000, 1, 1000.0);
        }
        let mut library = Library::new(Some(folder.path().to_owned()));
        assert!(library.get("welcome").is_none(), "the file is to be read");
        assert!(library.get("please-hold").is_some());
        let own = load(&library.file("welcome").unwrap());
        library.loaded("welcome", own);
        assert_eq!(library.get("welcome").unwrap().frames(), 50);
        library.loaded("busy", Err(SoundError::Empty));
        let shipped = Library::new(None);
        let first = |library: &Library| library.get("busy").unwrap().frame(Law::Mu, 0).map(<[u8]>::to_vec);
        assert_eq!(first(&library), first(&shipped));
        assert_eq!(library.loaded("nothing", Err(SoundError::Unknown)).frames(), 0);
    }
}
