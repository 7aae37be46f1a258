//! Documents of every format, filled by answers that are made up: what is there stays, what is added is right.
#![cfg(test)]

mod documents;
mod formats;
mod hostile;
mod oracle;
mod samples;
mod tables;
