//! The queries of the page for those who watch, and of the dashboard for Grafana: each metric that they name is told by a
//! running server, with the labels that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::blocks::{first_cells, page};
use crate::harness::{Server, Value, json, root, soon};
use crate::metrics::scrape;
use hostile_guests::bare;

/// The words of a query that could be names.
fn words(text: &str) -> BTreeSet<String> {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split(|letter| !is_of_name(letter)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What stands between each pair of these.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    text.split(open).skip(1).filter_map(|rest| Some(rest.split_once(close)?.0)).collect()
}

/// The metrics that a query names.
fn metrics_of(query: &str) -> BTreeSet<String> {
    words(query).into_iter().filter(|word| word.starts_with("parlor_")).collect()
}

/// The labels that it groups by, matches or shows.
fn labels_of(query: &str, legend: &str) -> BTreeSet<String> {
    let grouped = between(query, "by (", ")").into_iter().flat_map(words);
    let matched = between(query, "{", "}").into_iter().flat_map(|list| list.split(", "));
    let matched = matched.filter_map(|matcher| Some(matcher.split_once(['=', '!'])?.0.to_owned()));
    let shown = between(legend, "{{", "}}").into_iter().map(str::to_owned);
    grouped.chain(matched).chain(shown).collect()
}

/// The labels of each metric that a server with something of everything tells of.
async fn told() -> BTreeMap<String, BTreeSet<String>> {
    let traps = bare(&[("in handle", "unreachable")]);
    let server = Server::builder().guest("plain").file("bare.wasm", traps);
    let server = server.config("handler-metrics = true\n[limits]\nbad-frames = 0").start();
    let mut plain = server.enter_after("/plain?room=r", "hello").await;
    plain.send("say", json!({})).await;
    plain.expect("said").await;
    let mut client = server.join("/bare?resume=nothing&got=0").await;
    client.send("say", json!({})).await;
    client.send_text("no frame").await;
    client.closed().await;
    let wait = async {
        loop {
            let figures = scrape(&server).await;
            let has = |name: &str| figures.iter().any(|(figure, _)| figure.starts_with(name));
            if has("parlor_failures_total") && has("parlor_closed_sockets_total") {
                return figures;
            }
        }
    };
    let mut told = BTreeMap::<_, BTreeSet<String>>::new();
    for (figure, _) in soon("the failure and the close in the metrics", wait).await {
        let (name, labels) = figure.split_once('{').unwrap_or((&figure, ""));
        let labels = labels.split("\",").filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
        told.entry(name.to_owned()).or_default().extend(labels);
    }
    told
}

/// What is wrong with a query.
fn complaint(query: &str, legend: &str, told: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let (metrics, labels) = (metrics_of(query), labels_of(query, legend));
    if metrics.is_empty() || query.matches('(').count() != query.matches(')').count() {
        return Some(format!("{query} is no query"));
    }
    metrics.iter().find_map(|metric| {
        let Some(has) = told.get(metric) else { return Some(format!("no {metric}: {query}")) };
        let missing: Vec<_> = labels.difference(has).collect();
        (!missing.is_empty()).then(|| format!("{metric} has no {missing:?}: {query}"))
    })
}

#[tokio::test]
async fn each_query_names_what_a_server_tells() {
    let told = told().await;
    let page = page("docs/operators/watch.md");
    let sections = ["## Alert on these", "## What users notice", "## Who uses what"];
    let queries: Vec<String> = sections.iter().flat_map(|heading| first_cells(page.section(heading))).collect();
    assert!(queries.len() > 20, "{queries:?}");
    let file = fs::read_to_string(root().join("docs/operators/grafana.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&file).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets: Vec<&Value> = panels.filter_map(|panel| panel["targets"].as_array()).flatten().collect();
    assert!(targets.len() > 20, "{targets:?}");
    let text = |target: &Value, key: &str| target[key].as_str().expect("text").to_owned();
    let shown = targets.iter().map(|target| (text(target, "expr"), text(target, "legendFormat")));
    let variables = dashboard["templating"]["list"].as_array().expect("variables").iter();
    let of_variables = variables.filter_map(|variable| {
        let (metric, label) = between(variable["query"].as_str()?, "label_values(", ")").first()?.rsplit_once(", ")?;
        Some((metric.to_owned(), format!("{{{{{label}}}}}")))
    });
    let all = queries.into_iter().map(|query| (query, String::new())).chain(shown).chain(of_variables);
    let wrong: Vec<String> = all.filter_map(|(query, legend)| complaint(&query, &legend, &told)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_query_of_what_is_not_there_is_found() {
    let labels = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let told = BTreeMap::from([("parlor_turns_total".to_owned(), labels(&["tenant", "plugin"]))]);
    for (query, legend, words) in [
        ("sum by (room) (rate(parlor_turns_total[5m]))", "", "no [\"room\"]"),
        ("rate(parlor_turns_total{event=\"x\"}[5m])", "", "no [\"event\"]"),
        ("rate(parlor_turns_total[5m])", "{{user}}", "no [\"user\"]"),
        ("rate(parlor_turns[5m])", "", "no parlor_turns"),
        ("rate(parlor_turns_total[5m]", "", "is no query"),
        ("up", "", "is no query"),
    ] {
        let complaint = complaint(query, legend, &told);
        assert!(complaint.as_ref().is_some_and(|found| found.contains(words)), "{query}: {complaint:?}");
    }
    let fine = "sum by (tenant) (rate(parlor_turns_total{tenant=~\"$tenant\", plugin=~\"$plugin\"}[5m]))";
    assert_eq!(complaint(fine, "{{tenant}}/{{plugin}}", &told), None);
}
