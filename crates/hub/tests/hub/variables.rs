//! Settings from variables, as huggingface_hub reads them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vulnlens_hub::{Settings, SettingsError, Token};

fn from(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let find =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    Settings::from_variables(find, Some(PathBuf::from("/home/me")))
}

#[test]
fn the_cache_is_where_huggingface_hub_has_it() {
    let all = [
        ("HF_HUB_CACHE", "/a"),
        ("HUGGINGFACE_HUB_CACHE", "/b"),
        ("HF_HOME", "/c"),
        ("XDG_CACHE_HOME", "/d"),
    ];
    let expected = ["/a", "/b", "/c/hub", "/d/huggingface/hub", "/home/me/.cache/huggingface/hub"];
    for (first, expected) in expected.iter().enumerate() {
        assert_eq!(from(&all[first..]).unwrap().cache, Path::new(expected));
    }
    assert!(matches!(Settings::from_variables(|_| None, None), Err(SettingsError::NoHome)));
}

#[test]
fn folders_are_expanded() {
    let cases = [
        ("~/models", "/home/me/models"),
        ("$ROOT/x", "/data/x"),
        ("${ROOT}x/$NO", "/datax/$NO"),
        ("/a$", "/a$"),
        ("~you/x", "~you/x"),
    ];
    for (value, expected) in cases {
        let settings = from(&[("HF_HUB_CACHE", value), ("ROOT", "/data")]).unwrap();
        assert_eq!(settings.cache, Path::new(expected), "{value}");
    }
    assert_eq!(from(&[("HF_HUB_CACHE", "")]).unwrap().cache, Path::new("/home/me/.cache/huggingface/hub"));
}

#[test]
fn offline_is_parsed_as_there() {
    let cases: [(&[(&str, &str)], bool); 6] = [
        (&[], false),
        (&[("HF_HUB_OFFLINE", "1")], true),
        (&[("HF_HUB_OFFLINE", "yes")], true),
        (&[("HF_HUB_OFFLINE", "2")], false),
        (&[("TRANSFORMERS_OFFLINE", "TRUE")], true),
        (&[("HF_HUB_OFFLINE", "0"), ("TRANSFORMERS_OFFLINE", "1")], false),
    ];
    for (variables, expected) in cases {
        assert_eq!(from(variables).unwrap().offline, expected, "{variables:?}");
    }
}

#[test]
fn the_token_comes_from_the_first_place_that_has_one() {
    let home = tempfile::tempdir().unwrap();
    let home_text = home.path().to_str().unwrap();
    fs::write(home.path().join("token"), "from_home\n").unwrap();
    fs::write(home.path().join("other"), "from_path").unwrap();
    let other = home.path().join("other").to_str().unwrap().to_owned();
    let all = [
        ("HF_TOKEN", " from_variable "),
        ("HUGGING_FACE_HUB_TOKEN", "from_old_variable"),
        ("HF_TOKEN_PATH", other.as_str()),
        ("HF_HOME", home_text),
    ];
    let expected = ["from_variable", "from_old_variable", "from_path", "from_home"];
    for (first, expected) in expected.iter().enumerate() {
        assert_eq!(from(&all[first..]).unwrap().token, Token::parse(expected).unwrap());
    }
    assert_eq!(from(&[]).unwrap().token, None);
    let mut implicit = all.to_vec();
    implicit.push(("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"));
    assert_eq!(from(&implicit).unwrap().token, None);
}

#[test]
fn secrets_are_in_no_message() {
    let bad = from(&[("HF_TOKEN", "hf_sec ret")]).unwrap_err();
    assert!(
        bad.to_string().starts_with("the variable HF_TOKEN") && !format!("{bad} {bad:?}").contains("sec ret")
    );
    let good = from(&[("HF_TOKEN", "hf_secret"), ("HTTPS_PROXY", "http://me:pass@proxy:3128")]).unwrap();
    let shown = format!("{good:?}");
    assert!(
        !shown.contains("hf_secret") && !shown.contains("pass") && shown.contains("proxy:3128"),
        "{shown}"
    );
}

#[test]
fn the_rest_is_taken_over_or_refused_by_name() {
    let settings = from(&[
        ("HF_ENDPOINT", "https://hf-mirror.example/"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "60"),
        ("REQUESTS_CA_BUNDLE", "/etc/ca.pem"),
        ("http_proxy", "http://unused:1"),
    ])
    .unwrap();
    assert_eq!(settings.endpoint.as_str(), "https://hf-mirror.example");
    assert_eq!(settings.timeouts.stall, Duration::from_secs(60));
    assert_eq!(settings.certificates.as_deref(), Some(Path::new("/etc/ca.pem")));
    assert!(settings.proxy.is_none());
    let refused = [
        ("HF_ENDPOINT", "hf-mirror.example"),
        ("HF_HUB_ETAG_TIMEOUT", "soon"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "0"),
        ("ALL_PROXY", "gopher://proxy"),
    ];
    for (name, value) in refused {
        assert!(from(&[(name, value)]).unwrap_err().to_string().contains(name), "{name}");
    }
}
