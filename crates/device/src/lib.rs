//! One running device of the home.
