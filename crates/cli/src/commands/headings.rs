//! The headings under which `--help` lists options: those that commands share under the name of their group, a command's own first, under none.

use std::collections::HashMap;

use clap::builder::{Resettable, Str};
use clap::{Args, Command};

use super::toas::ToaArgs;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::InputArgs;
use crate::arguments::output::OutputArgs;
use crate::arguments::par::ParArgs;
use crate::arguments::spectrum::{DeadTimeArgs, SpectrumArgs};
use crate::arguments::weights::WeightArgs;

/// The program with each option of its commands under its heading. A group's heading would else go on to whatever stands behind the group in a command.
pub fn with_headings(program: Command) -> Command {
    let mut headings = HashMap::new();
    add::<InputArgs>(&mut headings);
    add::<SpectrumArgs>(&mut headings);
    add::<DeadTimeArgs>(&mut headings);
    add::<WeightArgs>(&mut headings);
    add::<ParArgs>(&mut headings);
    add::<ToaArgs>(&mut headings);
    add::<DeviceArgs>(&mut headings);
    add::<OutputArgs>(&mut headings);
    program.mut_subcommands(|command| {
        command.mut_args(|option| {
            let heading = headings.get(option.get_id().as_str()).cloned();
            option.help_heading(
                heading.map_or(Resettable::Reset, |heading: String| Resettable::Value(Str::from(heading))),
            )
        })
    })
}

fn add<Group: Args>(headings: &mut HashMap<String, String>) {
    for option in Group::augment_args(Command::new("group")).get_arguments() {
        if let Some(heading) = option.get_help_heading() {
            headings.insert(option.get_id().to_string(), heading.to_string());
        }
    }
}
