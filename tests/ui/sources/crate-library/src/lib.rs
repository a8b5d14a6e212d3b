//! Nothing is done here.
