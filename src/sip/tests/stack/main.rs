//! Two switches joined by a wire that loses, repeats and reorders, in virtual time.

mod calls;
mod changes;
mod pair;
