//! Removing what is unfinished: in a process of its own, for nothing can be begun afterwards.

use std::io::Write as _;

use vulnlens_files::{WholeFile, WholeFolder, remove_unfinished};

#[test]
fn the_end_of_the_process_removes_what_is_unfinished_and_keeps_the_rest() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    WholeFile::write(&path("done"), "done").unwrap();
    let mut file = WholeFile::create(&path("begun")).unwrap();
    file.write_all(b"half").unwrap();
    let folder = WholeFolder::create(&path("folder")).unwrap();
    std::fs::write(folder.aside().join("part"), "half").unwrap();
    assert_eq!(place.path().read_dir().unwrap().count(), 3);

    remove_unfinished();
    assert_eq!(place.path().read_dir().unwrap().count(), 1);
    assert_eq!(std::fs::read(path("done")).unwrap(), b"done");

    let error = WholeFile::create(&path("late")).unwrap_err().to_string();
    assert!(error.ends_with("the program is about to end"), "{error}");
    assert!(file.finish().is_err());
    assert!(folder.finish().is_err());
    assert_eq!(place.path().read_dir().unwrap().count(), 1);
}
