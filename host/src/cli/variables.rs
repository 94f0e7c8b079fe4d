//! Options that come from environment variables, and errors that name the variable.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// What the help says below all commands.
pub const HELP: &str = "\
Environment:
  An option of the command line wins over its variable, a variable over the configuration file.
  PARLOR_OPERATOR_TOKEN         the operator's token, at least 16 characters
  PARLOR_TENANT_TOKEN_<TENANT>  a tenant's token, with the name in capitals and _ for -
  PARLOR_LOG                    what to log: error, warn, info (default), debug or trace, or by module: warn,parlor=debug
  PARLOR_LOG_FORMAT             how to log: text (default), or json for one object a line";

/// An error with the name of the environment variable in it, where the value came from one.
pub fn named(why: Error, mut command: Command) -> Error {
    let told = |kind| match why.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let option = told(ContextKind::InvalidArg).and_then(|argument| argument.split_whitespace().next());
    let (Some(option), Some(value)) = (option, told(ContextKind::InvalidValue)) else { return why };
    let Some(variable) = variable_of(option, &command).filter(|_| !is_on_command_line(option)) else {
        return why;
    };
    let reason = std::error::Error::source(&why).map_or_else(|| "is empty".to_owned(), ToString::to_string);
    command.error(ErrorKind::ValueValidation, format!("the environment variable {variable}, {value:?}: {reason}"))
}

/// The environment variable of an option.
fn variable_of(option: &str, command: &Command) -> Option<String> {
    let mut arguments = command.get_subcommands().flat_map(Command::get_arguments);
    let argument = arguments.find(|argument| argument.get_long() == option.strip_prefix("--"))?;
    argument.get_env().map(|variable| variable.to_string_lossy().into_owned())
}

fn is_on_command_line(option: &str) -> bool {
    let is_it =
        |argument: &str| argument.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    std::env::args_os().any(|argument| argument.to_str().is_some_and(is_it))
}
