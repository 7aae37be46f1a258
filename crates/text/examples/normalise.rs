//! Prints each line of standard input normalised: to look at what goes.

#![expect(clippy::print_stdout, reason = "an example prints what it made")]

use std::io::{self, BufRead};

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        println!("{}", vulnlens_text::collapsed(&vulnlens_text::normalise(&line?)));
    }
    Ok(())
}
