//! Who works on which group, and what happens when a device fails.

use std::time::Instant;

use super::group::BatchGroup;
use super::member::{MemberDevice, MemberPlan, joined};
use super::{MultiBackend, MultiPlan};
use crate::backend::cpu::CpuBackend;
use crate::backend::{BatchLimits, DeviceInfo, not_the_oldest, released};
use crate::base::error::BackendError;
use crate::base::sums::PartialSums;

impl MultiBackend {
    /// Brings the spare into a plan that has no member left; false when there is none, or it has failed too.
    pub(super) fn step_in(&mut self, id: usize) -> Result<bool, BackendError> {
        let (Some(spare), Some(plan)) = (&mut self.spare, self.plans.get_mut(&id)) else { return Ok(false) };
        if std::mem::replace(&mut plan.spare_used, true) {
            return Ok(false);
        }
        if spare.member.is_none() {
            self.members.push(MemberDevice::new(Box::new(CpuBackend::new(spare.threads)?)));
            spare.member = Some(self.members.len() - 1);
        }
        let member = spare.member.unwrap_or_default();
        plan.members.insert(member, self.members[member].prepare(&plan.spec, false)?);
        Ok(true)
    }

    /// Names of the members that work on a plan.
    pub(super) fn names(&self, plan: &MultiPlan) -> String {
        let names = plan.members.keys().map(|&member| self.members[member].backend.info().name());
        names.collect::<Vec<_>>().join(" and ")
    }

    /// Puts a member out of a plan: the spare steps in where no other is left, and the groups not returned are due again.
    pub(super) fn retire(&mut self, member: usize, id: usize, error: BackendError) -> Result<(), BackendError> {
        let Some(plan) = self.plans.get_mut(&id) else { return Err(error) };
        let failed = &mut self.members[member];
        if let Some(share) = plan.members.remove(&member) {
            failed.backend.release(share.plan);
        }
        failed.queue.retain(|&(plan, ..)| plan != id);
        let name = failed.backend.info().adapter.clone();
        let alone = plan.members.is_empty();
        if alone && !self.step_in(id)? {
            return Err(error);
        }
        let mut from = None;
        for group in self.groups.values_mut().filter(|g| g.plan == id && g.member == Some(member) && !g.done) {
            group.restart().map_err(|_| error.clone())?;
            (group.member, group.outstanding, group.sums) = (None, 0, PartialSums::new());
            from = from.or(Some(group.first_segment));
        }
        let from = from.map_or(String::new(), |segment| format!(" from segment {segment} on"));
        let others = self.names(&self.plans[&id]);
        self.warnings.push("W-BACKEND-FALLBACK", format!("{name}: {}; {others} did its work{from}", error.reason()));
        Ok(())
    }

    /// The limits of a member for a plan.
    pub(super) fn member_limits(&self, plan: &MultiPlan, member: usize) -> Option<BatchLimits> {
        plan.members.get(&member).map(|share| self.members[member].backend.limits(share.plan))
    }

    /// The member of a plan that would be done first with a group of so much work.
    pub(super) fn choose(&self, plan: &MultiPlan, work: f64) -> Option<usize> {
        let due = |(&member, share): (&usize, &MemberPlan)| {
            let its = || self.groups.values().filter(|group| group.member == Some(member) && !group.done);
            let (waiting, began) = (its().map(|group| group.work).sum(), its().map(|group| group.began).min());
            (self.members[member].due(work, share.pace, waiting, began), member)
        };
        plan.members.iter().map(due).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, member)| member)
    }

    /// Sends all batches that are due.
    pub(super) fn advance(&mut self) -> Result<(), BackendError> {
        loop {
            let is_due = |group: &BatchGroup| {
                let plan = self.plans.get(&group.plan);
                group.is_due(plan.zip(group.member).and_then(|(plan, member)| self.member_limits(plan, member)))
            };
            let Some(id) = self.groups.iter().find(|(_, group)| is_due(group)).map(|(&id, _)| id) else {
                return Ok(());
            };
            self.send(id)?;
        }
    }

    /// Sends what is due of a group, to a member chosen with its first batch.
    pub(super) fn send(&mut self, id: u64) -> Result<(), BackendError> {
        let Some(plan) = self.groups.get(&id).and_then(|group| self.plans.get(&group.plan)) else { return Ok(()) };
        let group = &self.groups[&id];
        let Some(member) = group.member.or_else(|| self.choose(plan, group.work)) else { return Err(released()) };
        let Some(limits) = self.member_limits(plan, member) else { return Err(released()) };
        let (plan_id, spec, inner) = (group.plan, plan.spec.clone(), plan.members[&member].plan);
        // A member has one open group of a plan; one that is interrupted begins again.
        let same = |g: &BatchGroup| g.plan == plan_id && g.member == Some(member) && g.is_open();
        for (_, other) in self.groups.iter_mut().filter(|(other, g)| **other != id && same(g)) {
            other.restart()?;
        }
        let Some(group) = self.groups.get_mut(&id) else { return Ok(()) };
        if group.member.is_none() {
            (group.member, group.began) = (Some(member), Instant::now());
        }
        if !group.is_due(Some(limits)) {
            return Ok(());
        }
        for batch in group.take_due(&spec, limits) {
            match self.members[member].backend.submit(inner, batch) {
                Ok(ticket) => self.members[member].queue.push_back((plan_id, id, ticket)),
                Err(error) => return self.retire(member, plan_id, error),
            }
            group.outstanding += 1;
        }
        Ok(())
    }

    /// Collects the oldest ticket of a member.
    pub(super) fn collect_oldest(&mut self, member: usize) -> Result<(), BackendError> {
        let Some((plan, id, ticket)) = self.members[member].queue.pop_front() else { return Err(not_the_oldest()) };
        match self.members[member].backend.collect(ticket) {
            Ok(sums) => {
                if let Some(group) = self.groups.get_mut(&id) {
                    group.add(sums);
                    if group.done {
                        self.members[member].free = Instant::now();
                    }
                }
                Ok(())
            }
            Err(error) => self.retire(member, plan, error),
        }
    }

    /// The sums of a group.
    pub(super) fn finish(&mut self, id: u64) -> Result<PartialSums, BackendError> {
        loop {
            self.advance()?;
            match self.groups.get(&id) {
                Some(BatchGroup { done: false, member: Some(member), .. }) => self.collect_oldest(*member)?,
                Some(BatchGroup { done: true, .. }) => break,
                _ => return Err(released()),
            }
        }
        let Some(group) = self.groups.remove(&id) else { return Err(released()) };
        if let Some(plan) = self.plans.get_mut(&group.plan) {
            plan.contributed.extend(group.member);
        }
        self.describe(group.plan);
        Ok(group.sums)
    }

    /// Keeps in `info` what has contributed to a plan, or what will.
    pub(super) fn describe(&mut self, plan: usize) {
        let Some(plan) = self.plans.get(&plan) else { return };
        let info = |member: &usize| self.members[*member].backend.info();
        let mut infos: Vec<&DeviceInfo> = plan.contributed.iter().map(info).collect();
        if infos.is_empty() {
            infos = plan.members.keys().map(info).collect();
        }
        if let Some(info) = joined(&infos) {
            self.info = info;
        }
    }
}
