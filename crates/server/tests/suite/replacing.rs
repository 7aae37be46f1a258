//! A model whose file is replaced while it answers.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vulnlens::{EMBEDDED_MODEL, ModelFiles, Open};
use vulnlens_files::sealed;
use vulnlens_server::Model;

use crate::running::{Running, SQLI};

/// The embedded model under another name: a good file with another revision.
fn renamed(name: &str) -> Vec<u8> {
    let sealed = sealed::open(EMBEDDED_MODEL).unwrap();
    let mut description: Value = serde_json::from_str(sealed.model().get()).unwrap();
    description["name"] = json!(name);
    let description = serde_json::value::to_raw_value(&description).unwrap();
    sealed::write(&description, sealed.tensors().tensors()).unwrap()
}

fn replace(path: &Path, bytes: &[u8]) {
    let aside = path.with_extension("new");
    std::fs::write(&aside, bytes).unwrap();
    std::fs::rename(aside, path).unwrap();
}

/// A server of the model in a file, which it opens again when the file changes.
fn serving(path: &Path) -> Running {
    let name = path.to_str().unwrap().to_owned();
    let model = move || {
        let mut files = ModelFiles::of(&name).unwrap();
        let open = move || vulnlens::open(&name, &Open::new()).map_err(|error| error.to_string());
        Model::new("file", open().unwrap()).reopen(move || files.have_changed().then(&open))
    };
    Running::with(model, |_| {})
}

/// Waits until a metric says what it should.
fn wait_for(server: &Running, metric: &str) -> String {
    let begun = Instant::now();
    loop {
        let metrics = server.get("/metrics").1;
        if metrics.contains(metric) {
            return metrics;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{metric} does not come: {metrics}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_swap_drops_no_request_and_garbage_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.vulnlens");
    std::fs::write(&path, renamed("first")).unwrap();
    let server = serving(&path);
    let is_over = AtomicBool::new(false);
    let (of_first, of_second) = (AtomicU64::new(0), AtomicU64::new(0));
    let ask = || {
        while !is_over.load(Ordering::Relaxed) {
            let (status, answer) = server.post("/v1/classify", &json!({ "text": SQLI }));
            assert_eq!((status, &answer["cwe"][0]["label"]), (200, &json!("CWE-89")), "{answer}");
            let count = match answer["model"].as_str() {
                Some("first") => &of_first,
                Some("second") => &of_second,
                _ => panic!("{answer}"),
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        replace(&path, &renamed("second"));
        wait_for(&server, "vulnlens_model_reloads_total{model=\"file\",result=\"replaced\"} 1");
        let models: Value = serde_json::from_str(&server.get("/v1/models").1).unwrap();
        assert_eq!(models["models"][0]["model"], "second", "{models}");
        let revision = models["models"][0]["model_revision"].as_str().unwrap().to_owned();
        let (_, answer) = server.post("/v1/classify", &json!({ "text": SQLI }));
        assert_eq!(answer["model_revision"], *revision, "new requests are answered by the new one");

        replace(&path, &[0x5a; 10_000]);
        let metrics = wait_for(&server, "vulnlens_model_reloads_total{model=\"file\",result=\"failed\"} 1");
        let model = format!("vulnlens_model_revision{{model=\"file\",revision=\"{revision}\"}} 1");
        assert!(metrics.contains(&model), "{metrics}");
        assert_eq!(metrics.matches("vulnlens_model_revision{").count(), 1, "{metrics}");
        let (status, answer) = server.post("/v1/classify", &json!({ "text": SQLI }));
        assert_eq!((status, &answer["model"]), (200, &json!("second")), "the one before garbage stays");

        // A file that is written in place, and at first cut to nothing, harms nobody either.
        std::fs::write(&path, renamed("first")).unwrap();
        wait_for(&server, "vulnlens_model_reloads_total{model=\"file\",result=\"replaced\"} 2");
        is_over.store(true, Ordering::Relaxed);
        asking.into_iter().for_each(|asking| asking.join().unwrap());
    });
    let counts = (of_first.into_inner(), of_second.into_inner());
    assert!(counts.0 > 0 && counts.1 > 0, "{counts:?}");
}
