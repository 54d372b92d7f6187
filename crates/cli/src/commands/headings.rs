//! The headings under which `--help` lists options: those that commands share under the name of their group, a command's own first, under none.

use std::collections::HashMap;

use clap::{Args, Command};

use super::toas::ToaArgs;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::InputArgs;
use crate::arguments::output::OutputArgs;
use crate::arguments::par::ParArgs;
use crate::arguments::spectrum::{DeadTimeArgs, SpectrumArgs};
use crate::arguments::weights::WeightArgs;

/// The program with each option of its commands under its heading.
pub fn with_headings(program: Command) -> Command {
    let mut headings = HashMap::new();
    add::<InputArgs>(&mut headings, "Input");
    add::<SpectrumArgs>(&mut headings, "Segments and frequencies");
    add::<DeadTimeArgs>(&mut headings, "Dead time");
    add::<WeightArgs>(&mut headings, "Weights");
    add::<ParArgs>(&mut headings, "Ephemeris");
    add::<ToaArgs>(&mut headings, "Times of arrival");
    add::<DeviceArgs>(&mut headings, "Device");
    add::<OutputArgs>(&mut headings, "Output");
    program.mut_subcommands(|command| {
        command.mut_args(|option| {
            // Names of files stand by themselves.
            let heading = headings.get(option.get_id().as_str()).copied().filter(|_| !option.is_positional());
            option.help_heading(heading)
        })
    })
}

fn add<Group: Args>(headings: &mut HashMap<String, &'static str>, heading: &'static str) {
    let options = Group::augment_args(Command::new("group"));
    headings.extend(options.get_arguments().map(|option| (option.get_id().to_string(), heading)));
}
