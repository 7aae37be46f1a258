//! Hierarchies: children are asked when their parents are answered, and not else.

use vulnlens_encoder::{Checkpoint, Encoder, LoadOptions};

use crate::sample::fixture;

const TEXTS: [&str; 4] =
    ["SQL injection in the login form", "", "A buffer overflow in the parser", "Improper access control"];

#[test]
fn a_child_is_asked_when_its_parent_is_answered() {
    let options = LoadOptions::default();
    let folder = fixture("hierarchy-cwe");
    let checkpoint = Checkpoint::open(&folder, &options).unwrap();
    let labels = checkpoint.labels();
    let rows = checkpoint.scores(&TEXTS);
    let master = Encoder::open(&folder.join("master"), &options).unwrap();
    let (mut asked, mut spared) = (0, 0);
    for (text, row) in TEXTS.iter().zip(rows.chunks_exact(labels.len())) {
        let of_master = master.scores(&[text]);
        for (parent, score) in master.labels().iter().zip(&of_master) {
            let slave = folder.join(format!("slave_{parent}"));
            if !slave.exists() {
                continue;
            }
            let slave = Encoder::open(&slave, &options).unwrap();
            let of_slave = slave.scores(&[text]);
            for (label, of_slave) in slave.labels().iter().zip(&of_slave) {
                let column = labels.iter().position(|known| known == label).unwrap();
                if *score > 0.5 {
                    asked += 1;
                    assert!(row[column].is_some_and(|score| score >= *of_slave), "{label}");
                } else if slave.labels().iter().filter(|other| *other == label).count() == 1 {
                    spared += 1;
                }
            }
        }
    }
    assert!(asked > 0 && spared > 0, "{asked} {spared}");
    assert!(rows.contains(&None), "some parent is not answered");
}

#[test]
fn a_hierarchy_is_the_same_bits_in_any_batch() {
    for name in ["hierarchy-cwe", "hierarchy-capec"] {
        let checkpoint = Checkpoint::open(&fixture(name), &LoadOptions::default()).unwrap();
        let together = checkpoint.scores(&TEXTS);
        let alone: Vec<Option<f32>> = TEXTS.iter().flat_map(|text| checkpoint.scores(&[text])).collect();
        assert_eq!(together, alone, "{name}");
        assert!(checkpoint.parts().count() > 3);
    }
}
