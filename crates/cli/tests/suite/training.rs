//! From records to a model and its figures: the whole way, on a made-up data set that takes seconds.

use serde_json::Value;

use crate::vulnlens::Folder;

/// The kinds of weakness in the data set, with the words that give them away.
const KINDS: [(&str, &str); 4] = [
    ("CWE-79", "cross-site scripting in the {} page injects script"),
    ("CWE-89", "sql injection in the {} query reads tables"),
    ("CWE-22", "path traversal with dot dot in the {} archive reads files"),
    ("CWE-787", "heap buffer overflow in the {} decoder writes out of bounds"),
];
const PLACES: [&str; 5] = ["login", "report", "upload", "profile", "search"];
const RECORDS: usize = 400;

/// Records of 2019 to 2025, each kind alike often, no two texts the same.
pub(crate) fn table() -> String {
    let line = |number: usize| {
        let (cwe, words) = KINDS[number % KINDS.len()];
        let text = words.replace("{}", PLACES[number % PLACES.len()]);
        let year = 2019 + number % 7;
        let id = 10_000 + number;
        format!(
            "{{\"id\":\"CVE-{year}-{id}\",\"description\":\"Product{number}: {text}\",\"cwes\":[\"{cwe}\"]}}\n"
        )
    };
    (0..RECORDS).map(line).collect()
}

fn fitted(folder: &Folder, out: &str, threads: &str) -> Vec<u8> {
    let data = ["train", "ngram", "--data", "data.parquet", "--out", out, "--split", "random"];
    let settings = ["--dimensions", "16", "--epochs", "3", "--teachers", "1", "--min-documents", "2"];
    folder.run(&[&data[..], &settings, &["--threads", threads]].concat()).code(0).says(&[out, "MB"]);
    std::fs::read(folder.path(out)).unwrap()
}

fn info(folder: &Folder, model: &str) -> Value {
    let text = folder.run(&["model", "info", model, "--format", "json"]).code(0).stdout;
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_table_becomes_a_model_with_figures_and_a_card() {
    let folder = Folder::new();
    folder.file("table.jsonl", table());
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    let model = fitted(&folder, "m.safetensors", "1");
    std::fs::create_dir(folder.path("again")).unwrap();
    assert!(model == fitted(&folder, "again/m.safetensors", "2"), "the threads do not change the model");

    let about = info(&folder, "m.safetensors");
    assert_eq!(about["name"], "m", "the file's name is the model's");
    let (header, bytes) = (&about["header"], Value::from(model.len()));
    assert_eq!((&header["ngram"]["dimensions"], &about["bytes"]), (&Value::from(16), &bytes));
    assert_eq!(header["years"]["newest"], 2025);
    assert_eq!(header["provenance"]["data"], "data.parquet");
    let answered = folder.run(&["classify", "SQL injection in a query", "--model", "m.safetensors"]).code(0);
    assert_eq!(answered.records()[0]["model_revision"], about["revision"]);

    let evaluate = ["evaluate", "--data", "data.parquet", "--split", "random", "--out", "e.json"];
    let printed = folder.run(&[&evaluate[..], &["--model", "m.safetensors"]].concat()).code(0).stdout;
    let figures: Value = serde_json::from_slice(&std::fs::read(folder.path("e.json")).unwrap()).unwrap();
    assert_eq!((&figures["labelled_rows"], &figures["data"]), (&RECORDS.into(), &"data.parquet".into()));
    let tables = folder.run(&["model", "tables", "e.json"]).code(0).stdout;
    assert!(tables.contains('|') && printed.contains(tables.lines().last().unwrap()), "{printed}\n{tables}");
    let card = folder.run(&["model", "card", "m.safetensors", "--evaluation", "e.json"]).code(0).stdout;
    assert!(card.contains(about["revision"].as_str().unwrap()) && card.contains('|'), "{card}");

    let calibrate = ["model", "calibrate", "m.safetensors", "--data", "data.parquet"];
    folder.run(&[&calibrate[..], &["--out", "c.safetensors"]].concat()).code(0);
    let head = &info(&folder, "c.safetensors")["header"]["heads"][0];
    assert_eq!(head["fitted_on"], "validation part of the random split of data.parquet");
}

#[test]
fn what_cannot_be_fitted_or_evaluated_is_told() {
    let folder = Folder::new();
    folder.file("table.jsonl", table());
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    let all = ["model", "calibrate", "fast", "--data", "data.parquet", "--split", "all", "--out", "c"];
    folder.run(&all).code(2).says(&["no validation part"]);
    folder.run(&["evaluate", "--data", "data.parquet"]).code(2).says(&["nothing to evaluate"]);
    folder.run(&["model", "info", "missing"]).code(5).says(&["there is no model \"missing\""]);
    folder.run(&["model", "tables", "table.jsonl"]).code(5).says(&["table.jsonl"]);
    let missing = ["train", "ngram", "--data", "missing.parquet", "--out", "m"];
    folder.run(&missing).code(5).says(&["missing.parquet"]);
    assert!(!folder.path("m").exists());
}

fn fs_bytes(folder: &Folder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path(name)).unwrap()
}

/// An encoder of CWE sets answers through the chain, as the embedded model does: weaknesses, patterns, techniques, all
/// from one distribution, asked as of a year.
fn chain_answers(folder: &Folder, model: &str) {
    let text = "Product7: sql injection in the login query reads tables";
    let ask = |more: &[&str]| {
        let words = ["classify", text, "--model", model, "--format", "jsonl", "--labels", "assigned"];
        folder.run(&[&words[..], more].concat()).code(0)
    };
    let answered = ask(&[]);
    let record = &answered.records()[0];
    assert_eq!(record["cwe"][0]["label"], "CWE-89", "{model}");
    assert_eq!(record["cwe"][0]["predicted"], true, "{model}");
    assert!(record["attack"].as_array().is_some_and(|labels| !labels.is_empty()), "{model}");
    assert!(record["other"].is_null(), "{model}");
    assert_eq!(ask(&["--threads", "1"]).stdout, answered.stdout);
    assert_eq!(ask(&["--as-of", "2025"]).stdout, answered.stdout, "the newest year is asked as of");
    assert_ne!(ask(&["--as-of", "2019"]).stdout, answered.stdout);
    folder.run(&["classify", text, "--model", model]).code(0).says(&[]);
}

#[test]
fn an_encoder_is_trained_from_nothing_and_classifies() {
    let folder = Folder::new();
    folder.file("table.jsonl", table());
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    let data = ["--data", "data.parquet"];
    let tokenizer = ["train", "tokenizer", "--size", "400", "--out", "tokenizer"];
    folder.run(&[&tokenizer[..], &data].concat()).code(0).says(&["400 tokens"]);
    let small = ["--layers", "1", "--hidden", "32", "--heads", "4", "--positions", "40"];
    let quick = ["--max-tokens", "40", "--batch", "16", "--dropout", "0", "--rate", "5e-3", "--year"];
    let run = |words: &[&str]| folder.run(&[&["train"][..], words, &data, &quick].concat());
    let language = ["mlm", "--tokenizer", "tokenizer", "--out", "language", "--epochs", "1"];
    run(&[&language[..], &small].concat()).code(0).says(&["language:", "perplexity"]);
    let encoder = ["encoder", "--from", "language", "--out", "encoder", "--epochs", "6"];
    run(&encoder).code(0).says(&["CWE micro-F1", "encoder:"]);
    run(&encoder).code(2).says(&["encoder: holds a finished model"]);
    run(&[&encoder[..], &["--resume"]].concat()).code(0).says(&["encoder: the run is finished"]);
    run(&["encoder", "--from", "language", "--out", "x", "--clip", "0"]).code(2).says(&["clip must be"]);
    run(&["encoder", "--from", "tokenizer", "--out", "x"]).code(5).says(&["config.json"]);

    let about = info(&folder, "encoder");
    assert_eq!((&about["kind"], &about["max_tokens"]), (&"encoder".into(), &40.into()));
    assert_eq!(about["header"]["provenance"]["split"], "random");
    folder.run(&["model", "quantize", "encoder", "--out", "small"]).code(0);
    folder.run(&["model", "pack", "small", "--out", "small.safetensors"]).code(0).says(&["4 CWE sets"]);
    folder.run(&["model", "pack", "language", "--out", "y"]).code(5).says(&["give the folder instead"]);
    let packed = info(&folder, "small.safetensors");
    assert_eq!(
        (&packed["kind"], &packed["cwe_sets"], packed["header"]["years"]["newest"].is_number()),
        (&"encoder".into(), &4.into(), true)
    );
    for model in ["encoder", "small", "small.safetensors"] {
        chain_answers(&folder, model);
    }
    let whole = fs_bytes(&folder, "small.safetensors");
    for kept in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(folder.path("cut.safetensors"), &whole[..kept]).unwrap();
        folder.run(&["classify", "x", "--model", "cut.safetensors"]).code(5);
    }

    let attack = ["encoder", "--from", "encoder", "--objective", "multilabel", "--labels", "capec"];
    run(&[&attack[..], &["--out", "capec", "--max-steps", "4"]].concat()).code(0);
    assert_eq!(info(&folder, "capec")["problem"], "multi-label");
    let asked = |year: &str| {
        folder.run(&["classify", "sql injection", "--model", "capec", "--as-of", year]).code(0).stdout
    };
    assert_ne!(asked("2019"), asked("2025"), "labels of their own are asked as of a year, too");
    let calibrate =
        |model: &str| folder.run(&["model", "calibrate", model, "--data", "data.parquet", "--in-place"]);
    calibrate("capec").code(2).says(&["its training fitted, in vulnlens.json"]);
    calibrate("encoder").code(2).says(&["answers by CWE sets"]);
    folder.run(&["model", "pack", "capec", "--out", "z"]).code(5).says(&["give the folder instead"]);

    fitted(&folder, "ngram.safetensors", "2");
    let taught = ["encoder", "--from", "language", "--out", "taught", "--epochs", "6"];
    run(&[&taught[..], &["--teachers", "ngram.safetensors"]].concat()).code(0).says(&["taught:"]);
    run(&[
        "encoder",
        "--from",
        "language",
        "--out",
        "x",
        "--split",
        "temporal",
        "--teachers",
        "ngram.safetensors",
    ])
    .code(2)
    .says(&["was fitted on \"random\""]);
    let combine = ["model", "combine", "taught", "--data", "data.parquet", "--by"];
    folder.run(&[&combine[..], &["fast"]].concat()).code(2).says(&["\"all\"", "train ngram --split"]);
    folder.run(&[&combine[..], &["ngram.safetensors"]].concat()).code(0).says(&["the encoder's weight is"]);
    folder.run(&[&combine[..], &["ngram.safetensors"]].concat()).code(2).says(&["is combined already"]);
    folder.run(&["model", "pack", "taught", "--out", "taught.safetensors"]).code(0);
    for model in ["taught", "taught.safetensors"] {
        let text = "Product7: sql injection in the login query reads tables";
        let record = folder.run(&["classify", text, "--model", model, "--labels", "assigned"]).code(0);
        assert_eq!(record.records()[0]["cwe"][0]["label"], "CWE-89", "{model}");
    }
    let partner = info(&folder, "taught.safetensors")["header"]["combined_with"].clone();
    assert_eq!(partner["name"], "fast");
    let header = std::fs::read_to_string(folder.path("taught/vulnlens.json")).unwrap();
    let revision = format!("\"revision\": {}", partner["revision"]);
    assert!(header.contains(&revision), "{header}");
    folder.file("taught/vulnlens.json", header.replace(&revision, "\"revision\": \"0\""));
    folder.run(&["classify", "x", "--model", "taught"]).code(5).says(&["run `model combine` again"]);
    folder.run(&["model", "combine", "taught", "--alone"]).code(0).says(&["answers alone"]);
    folder.run(&["classify", "x", "--model", "taught"]).code(0);
    folder.run(&["model", "card", "taught.safetensors"]).code(0);

    let systems = ["--model", "encoder", "small", "--combine", "encoder,ngram.safetensors"];
    let evaluate = ["evaluate", "--data", "data.parquet", "--split", "random", "--headline"];
    let tables = folder.run(&[&evaluate[..], &systems].concat()).code(0).stdout;
    assert!(["| encoder |", "| small |", "encoder × "].iter().all(|name| tables.contains(name)), "{tables}");
    // The rows of the first table have a figure in each of many columns.
    let is_task = |line: &&str| line.split('|').count() > 8;
    let figure = |line: &str| line.split('|').nth(3).and_then(|cell| cell.trim().parse::<f64>().ok());
    let figures: Vec<f64> = tables.lines().filter(is_task).filter_map(figure).collect();
    assert!(figures.len() >= 12 && figures.iter().all(|figure| *figure > 0.9), "{tables}");
}

#[test]
fn a_search_prints_its_table_and_leaves_the_best_model() {
    let folder = Folder::new();
    folder.file("table.jsonl", table());
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    let data = ["--data", "data.parquet"];
    folder.run(&[&["train", "tokenizer", "--size", "400", "--out", "tokenizer"][..], &data].concat()).code(0);
    let small =
        ["--tokenizer", "tokenizer", "--layers", "1", "--hidden", "32", "--heads", "4", "--positions", "40"];
    let quick = ["--max-tokens", "40", "--max-steps", "4", "--out", "searched"];
    let run = |words: &[&str]| folder.run(&[&["train", "search"], words, &data, &small, &quick].concat());
    let search = ["--trials", "2", "--range", "rate=1e-4..1e-2:log", "--range", "batch=8,16"];
    let first =
        run(&search).code(0).says(&["trial 2 of 2: batch", "searched/best: the model of trial"]).stdout;
    assert!(first.starts_with("| trial | rate | batch | score |") && first.lines().count() == 4, "{first}");
    assert_eq!(info(&folder, "searched/best")["kind"], "encoder");
    run(&search).code(2).says(&["searched: holds a search; resume it"]);
    assert_eq!(run(&[&search[..], &["--resume"]].concat()).code(0).stdout, first);
    run(&["--range", "speed=1,2"]).code(2).says(&["there is no setting \"speed\""]);
    run(&["--range", "rate=0..1e-3:log"]).code(2).says(&["must begin above 0"]);
    run(&[]).code(2).says(&["--range"]);
    let of_trees =
        [&["train", "search", "hierarchy", "--labels", "cwe-with-ancestors", "--shared"][..], &data, &small];
    let ranges = ["--range", "rate=1e-3,5e-3", "--range", "fewest-texts=10,20", "--trials", "1"];
    let tree = ["--max-tokens", "40", "--max-steps", "4", "--out", "tree"];
    let printed = folder
        .run(&[&of_trees.concat()[..], &tree, &ranges].concat())
        .code(0)
        .says(&["tree/best: the model"]);
    assert!(printed.stdout.starts_with("| trial | rate | fewest-texts | score |"), "{}", printed.stdout);
    assert!(folder.path("tree/best/hierarchy.json").exists());
}

#[test]
fn settings_of_n_gram_models_are_searched_for() {
    let folder = Folder::new();
    folder.file("table.jsonl", table());
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    let base = ["train", "search", "ngram", "--data", "data.parquet", "--out", "searched", "--teachers", "0"];
    let small = ["--dimensions", "16", "--epochs", "1", "--min-documents", "2", "--goal", "lrap"];
    let ranges = ["--range", "embedding-rate=1e-6..1e-1:log", "--range", "batch=16,64"];
    let run = |more: &[&str]| folder.run(&[&base[..], &small, &ranges, more].concat());
    let printed =
        run(&["--trials", "9"]).code(0).says(&["trial 9 of 9: batch", "searched/best: the model"]).stdout;
    assert!(printed.starts_with("| trial | embedding-rate | batch | score |"), "{printed}");
    let importance = folder.run(&["train", "search", "--importance", "searched"]).code(0).stdout;
    assert!(importance.starts_with("| setting | share of the variance |"), "{importance}");
    assert!(printed.ends_with(&importance), "{printed}");
    assert_eq!(run(&["--trials", "9", "--resume", "--threads", "1"]).code(0).stdout, printed);
    let report = std::fs::read_to_string(folder.path("searched/search.md")).unwrap();
    assert!(
        report.contains("Scores are the LRAP of the validation part, that of the finished model"),
        "{report}"
    );
    let model = "searched/best/ngram.safetensors";
    assert_eq!(info(&folder, model)["name"], "searched");
    run(&["--trials", "2", "--range", "loss=plain,focal"]).code(2).says(&["there is no setting \"loss\""]);
    folder.run(&["train", "search", "--importance", "nowhere"]).code(5).says(&["nowhere"]);
    folder
        .run(&["train", "search", "--importance", "searched", "--data", "x"])
        .code(2)
        .says(&["--importance"]);
}
