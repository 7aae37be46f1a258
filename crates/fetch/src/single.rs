//! Sources of a few files that are replaced as a whole: catalogues, and CISA's list.

use crate::client::Client;
use crate::content::Kind;
use crate::download::fetch;
use crate::error::FetchError;
use crate::hosts::Address;
use crate::source::Source;
use crate::store::Store;
use crate::summary::Summary;
use crate::wanted::Wanted;

/// Most bytes of a file; the longest, ATT&CK's bundle for enterprises, has fifty million.
const LIMIT: u64 = 512 << 20;

/// The files of a source: address, name, kind. `kb build` and others tell them by these names.
const fn files(source: Source) -> &'static [(Address, &'static str, Kind)] {
    match source {
        Source::Mitre => &[
            (Address::Cwe, "cwec_latest.xml.zip", Kind::Zip(".xml")),
            (Address::Capec, "stix-capec.json", Kind::Json("objects")),
            (Address::AttackEnterprise, "enterprise-attack.json", Kind::Json("objects")),
            (Address::AttackMobile, "mobile-attack.json", Kind::Json("objects")),
            (Address::AttackIcs, "ics-attack.json", Kind::Json("objects")),
        ],
        Source::Kev => {
            &[(Address::Kev, "known_exploited_vulnerabilities.json", Kind::Json("vulnerabilities"))]
        }
        Source::Atlas => &[(Address::Atlas, "ATLAS.yaml", Kind::Yaml)],
        Source::D3fend => &[(Address::D3fend, "d3fend.ttl", Kind::Turtle)],
        Source::Nvd | Source::CveList => &[],
    }
}

/// Fetches the files of the folder's source.
pub(crate) fn run(client: &Client<'_>, store: &mut Store, summary: &mut Summary) -> Result<(), FetchError> {
    for &(address, name, kind) in files(store.fetched().source) {
        let url = client.hosts.get(address).to_owned();
        let wanted = Wanted { name: name.to_owned(), url, kind, limit: LIMIT, checksum: None };
        let file = fetch(client, store, &wanted)?;
        summary.count(&wanted.name, file.as_ref());
        if let Some(file) = file {
            store.put(file, |_, _| false)?;
        }
    }
    Ok(())
}
