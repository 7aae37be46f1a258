//! The arithmetic that an encoder spends its time in.
