//! The tokens of the operator and of tenants: from the environment, else from a file of their own, else from the
//! configuration itself.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::file::{ConfigFile, TenantTable};
use crate::model::names::TenantName;
use crate::model::secret::Secret;
use crate::tenant::TenantSettings;

/// The environment variable of the operator's token.
pub const TOKEN_VARIABLE: &str = "PARLOR_OPERATOR_TOKEN";
/// The beginning of the variable of a tenant's token. The tenant's name follows, in capitals and with `_` for `-`.
const TENANT_TOKEN_VARIABLE: &str = "PARLOR_TENANT_TOKEN_";
/// The shortest token that is accepted. 128 bits in base 64 have 22 characters.
const TOKEN_CHARS_MIN: usize = 16;

pub fn operator(file: &ConfigFile) -> anyhow::Result<Option<Secret>> {
    first_of(
        TOKEN_VARIABLE,
        ("operator-token-file", file.operator_token_file.as_deref()),
        ("operator-token", file.operator_token.as_deref()),
    )
}

pub fn tenant(name: &TenantName, table: &TenantTable) -> anyhow::Result<Option<Secret>> {
    let variable = format!("{TENANT_TOKEN_VARIABLE}{}", name.as_str().to_ascii_uppercase().replace('-', "_"));
    let (file_key, key) = (format!("tenants.{name}.token-file"), format!("tenants.{name}.token"));
    first_of(&variable, (&file_key, table.token_file.as_deref()), (&key, table.token.as_deref()))
}

/// Refuses one token for two: each could reach what belongs to the other.
pub fn check_distinct(operator: Option<&Secret>, tenants: &BTreeMap<TenantName, TenantSettings>) -> anyhow::Result<()> {
    let operator = operator.map(|token| ("the operator".to_owned(), token));
    let mut seen: Vec<(String, &Secret)> = operator.into_iter().collect();
    for (tenant, settings) in tenants {
        let Some(token) = &settings.token else { continue };
        if let Some((other, _)) = seen.iter().find(|(_, known)| *known == token) {
            bail!("tenants.{tenant}.token: {other} has the same token");
        }
        seen.push((format!("the tenant {tenant}"), token));
    }
    Ok(())
}

fn first_of(
    variable: &str,
    (file_key, file): (&str, Option<&Path>),
    (value_key, value): (&str, Option<&str>),
) -> anyhow::Result<Option<Secret>> {
    let (token, key) = if let Some(token) = std::env::var_os(variable) {
        (token.into_string().ok().with_context(|| format!("{variable} is not UTF-8"))?, variable)
    } else if let Some(path) = file {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{file_key}: cannot read {}", path.display()))?;
        (text.trim().to_owned(), file_key)
    } else if let Some(token) = value {
        (token.to_owned(), value_key)
    } else {
        return Ok(None);
    };
    let chars = token.chars().count();
    ensure!(chars >= TOKEN_CHARS_MIN, "{key}: a token must have at least {TOKEN_CHARS_MIN} characters, not {chars}");
    Ok(Some(Secret::new(token)))
}
