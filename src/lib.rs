//! Cordboard
