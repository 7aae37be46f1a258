//! Settings as arguments: one for each row of a table that the library declares.

use clap::builder::PossibleValue;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};
use vulnlens_train::setting::{Kind, Setting, Settings, Value};

/// The settings that the command line gives, and the defaults of the others.
#[derive(Debug, Clone)]
pub(crate) struct SettingArguments<S>(pub(crate) S);

impl<S: Settings> Args for SettingArguments<S> {
    fn augment_args(command: Command) -> Command {
        let default = S::default();
        S::TABLE.iter().fold(command, |command, setting| command.arg(argument(setting, &default)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Settings> FromArgMatches for SettingArguments<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Self(S::default());
        settings.update_from_arg_matches(matches)?;
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in S::TABLE {
            if let Some(value) = value(setting, matches)
                && let Err(expected) = setting.set(&mut self.0, value)
            {
                let message = format!("--{} must be {expected}\n", setting.argument());
                return Err(clap::Error::raw(ErrorKind::ValueValidation, message));
            }
        }
        Ok(())
    }
}

/// The argument of a setting.
fn argument<S>(setting: &Setting<S>, default: &S) -> Arg {
    let argument = Arg::new(setting.name).long(setting.argument()).help(setting.help());
    let argument = match setting.excludes() {
        Some(other) => argument.conflicts_with(other),
        None => argument,
    };
    let argument = match setting.kind {
        Kind::Flag => return argument.action(ArgAction::SetTrue),
        Kind::Whole => argument.value_parser(value_parser!(u64)),
        Kind::Single => argument.value_parser(value_parser!(f32)),
        Kind::Double => argument.value_parser(value_parser!(f64)),
        Kind::Name(names) => {
            let values = names().into_iter().map(|(name, help)| PossibleValue::new(name).help(help));
            argument.value_parser(values.collect::<Vec<_>>())
        }
    };
    let argument = argument.value_name(setting.value_name());
    match setting.get(default) {
        Value::Absent => argument,
        value => argument.default_value(value.to_string()),
    }
}

/// The value that the command line gives to a setting.
fn value<S>(setting: &Setting<S>, matches: &ArgMatches) -> Option<Value> {
    match setting.kind {
        Kind::Flag => Some(Value::Flag(matches.get_flag(setting.name))),
        Kind::Whole => matches.get_one(setting.name).copied().map(Value::Whole),
        Kind::Single => matches.get_one(setting.name).copied().map(Value::Single),
        Kind::Double => matches.get_one(setting.name).copied().map(Value::Double),
        Kind::Name(names) => {
            let given = matches.get_one::<String>(setting.name)?;
            names().into_iter().find(|(name, _)| name == given).map(|(name, _)| Value::Name(name))
        }
    }
}
