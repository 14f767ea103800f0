//! Asks the scripts about plans whose keys live in one slot.

use std::sync::Arc;

use super::answer;
use super::call::Call;
use super::failure::Failure;
use super::lane::Lane;
use super::scripts::Scripts;
use super::sender::{Request, Sender, send_over};
use crate::{Algorithm, Ask, Plan, Receipt, Report};

#[derive(Debug)]
pub(super) struct Asker {
    pub(super) prefix: String,
    pub(super) scripts: Scripts,
    pub(super) sender: Sender,
}

impl Asker {
    pub(super) async fn admit(&self, lane: &Arc<Lane>, plan: &Plan, nonce: u64) -> Result<Report, Failure> {
        let call = self.scripts.admit(&self.prefix, plan, nonce);
        // With a log among the policies an admission leaves its nonce behind, so a second try finds out.
        let leaves_proof = |ask: &Ask| leaves_nonce(ask) && !ask.shadow;
        let repeatable = plan.asks().iter().any(leaves_proof);
        let request = if repeatable { Request::Repeatable(call) } else { Request::Once(call) };
        let answer: Vec<i64> = send_over(lane, request).await?;
        answer::report(plan, Some(nonce), &answer).map_err(Failure::not_understood)
    }

    pub(super) async fn peek(&self, lane: &Arc<Lane>, plan: &Plan) -> Result<Report, Failure> {
        let call = self.scripts.peek(&self.prefix, plan);
        let answer: Vec<i64> = send_over(lane, Request::Repeatable(call)).await?;
        answer::report(plan, None, &answer).map_err(Failure::not_understood)
    }

    pub(super) async fn refund(&self, lane: &Arc<Lane>, receipt: &Receipt) -> Result<u32, Failure> {
        send_over(lane, Request::Once(self.call_of(receipt))).await
    }

    /// The same where nothing was heard of the admission.
    pub(super) async fn refund_supposed(&self, lane: &Arc<Lane>, receipt: &Receipt) -> Result<u32, Failure> {
        send_over(lane, Request::InFull(self.call_of(receipt))).await
    }

    fn call_of(&self, receipt: &Receipt) -> Call<'_> {
        self.scripts.refund(&self.prefix, &receipt.items, receipt.nonce)
    }
}

/// Whether an admission is told from all others by what it leaves behind.
pub(super) fn leaves_nonce(ask: &Ask) -> bool {
    ask.rule.algorithm() == Algorithm::SlidingLog && ask.cost > 0
}
