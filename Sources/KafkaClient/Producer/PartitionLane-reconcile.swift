import Base
import DequeModule

// What the broker says that it holds, against what we know.
extension PartitionLane {
    /// Where the last sequence that the broker knows stands among ours.
    enum Standing: Equatable {
        /// So many of the retained acknowledged batches of this identity, and of the pending ones, are there.
        case present(acknowledged: Int, pending: Int)
        /// The broker misses so many records that the log no longer holds.
        case behind(records: Int64)
        /// The broker holds what we never sealed.
        case ahead
    }

    mutating func inspected(_ outcome: InspectOutcome, _ context: inout LaneContext) {
        guard case .inspecting = state else { return }
        switch outcome {
        case .failed(let reason):
            if failures == 0 { context.report(.retrying(partition, reason: reason)) }
            context.actions.append(.refreshMetadata(partition))
            pause(.inspect, &context)
        case .report(let report):
            inspectedAt = context.now
            floorInspected = floor
            endInspected = report.logEnd
            forgetPresumptions()
            if floor == .none { firstLook(report, &context) } else { compare(report, &context) }
        }
    }

    private mutating func firstLook(_ report: PartitionReport, _ context: inout LaneContext) {
        topicID = report.topicID
        floor = report.logEnd
        endSeen = report.logEnd
        context.actions.append(
            .recordOpening(PartitionOpening(partition: partition, topicID: topicID, floor: floor)))
        if case .known(let epoch, let last) = report.producer, !mustRenew {
            giveUpIdentity(
                "producer \(identity) is at epoch \(epoch), sequence \(last) before its first batch", &context)
        }
        if mustRenew { renew(&context) } else { open(&context) }
    }

    private mutating func compare(_ report: PartitionReport, _ context: inout LaneContext) {
        if topicID != report.topicID, topicID != .zero, report.topicID != .zero {
            // The old topic is gone and its batches with it, as somebody wanted. What is pending goes to the new one.
            context.report(.topicRecreated(partition))
            acknowledged = []
            floor = .zero
            mustRebase = true
            topicID = report.topicID
            context.actions.append(
                .recordOpening(PartitionOpening(partition: partition, topicID: topicID, floor: floor)))
        } else if topicID == .zero {
            topicID = report.topicID
        }
        endSeen = report.logEnd
        isKnown = if case .known(identity.epoch, _) = report.producer { true } else { false }
        if mustRenew { return renew(&context) }
        if isDoubtful, !olderAcknowledged.isEmpty { return scan(.older, &context) }
        let tailIsLost = report.logEnd < floor
        // The sequences say nothing then of what the broker holds.
        if hasHole { return scan(tailIsLost ? .everything : .pending, &context) }
        if strikes >= 3 { return scan(.everything, &context) }
        let mayHoldPending = report.logEnd > floor && pending.contains { $0.maybeSent }
        switch report.producer {
        case .known(let epoch, let last):
            if epoch > identity.epoch {
                giveUpIdentity("producer \(identity) is at epoch \(epoch) already", &context)
                renew(&context)
            } else if epoch < identity.epoch {
                // Nothing of the present epoch was appended.
                if tailIsLost || acknowledgedUnderIdentity > 0 { scan(.everything, &context) } else { resume(&context) }
            } else {
                compare(lastSequence: last, tailIsLost: tailIsLost, &context)
            }
        case .unknown:
            if tailIsLost {
                scan(.everything, &context)
            } else if mayHoldPending || isForgottenTooSoon(context) {
                scan(.pending, &context)
            } else {
                resume(&context)
            }
        case .unavailable:
            if tailIsLost {
                scan(.everything, &context)
            } else if mayHoldPending && (!hasOpened || strikes > 0) {
                scan(.pending, &context)
            } else if mayHoldPending {
                // It was silent, for how long it won't tell, and a producer's memory has an end: what it appended, the log tells.
                scan(.unasked, &context)
            } else {
                if strikes > 0 { mustRebase = true }
                resume(&context)
            }
        }
    }

    private mutating func compare(lastSequence: Int32, tailIsLost: Bool, _ context: inout LaneContext) {
        switch standing(lastSequence: lastSequence) {
        case .present(let present, let pendingPresent):
            let lost = acknowledgedUnderIdentity - present
            if lost > 0 {
                // The broker waits for exactly these: no new epoch is needed.
                reopen(Array(ownAcknowledged.suffix(lost)), &context)
                lowerFloor(&context)
                resume(&context)
            } else if tailIsLost {
                scan(.everything, &context)
            } else {
                presume(count: pendingPresent, &context)
                resume(&context)
            }
        case .behind(let records):
            recordsBehind = records
            scan(.everything, &context)
        case .ahead:
            giveUpIdentity(
                "the broker holds sequence \(lastSequence) of producer \(identity), we sealed up to "
                    + "\(Sequence32.before(nextSequence))", &context)
            renew(&context)
        }
    }

    /// The newest that is there is sent again: its answer comes when it is durable, and vouches for the others. Where it has been
    /// acknowledged already, it vouches now.
    private mutating func presume(count: Int, _ context: inout LaneContext) {
        guard count > 0 else { return }
        let isVouchedFor = !isUnanswered(pending[count - 1])
        for place in 0..<count - 1 where pending[place].status == .waiting {
            pending[place].status = isVouchedFor ? .acknowledged(.none) : .presumed
        }
        settle(&context)
    }

    /// Which of the acknowledged batches that are retained have the present identity. One that was found in the log before an epoch began stands
    /// among later ones.
    var ownAcknowledged: [Int] { acknowledged.indices.filter { acknowledged[$0].batch.identity == identity } }

    var acknowledgedUnderIdentity: Int { ownAcknowledged.count }

    /// Retained batches that were acknowledged at a known offset under an earlier identity.
    var olderAcknowledged: [Acknowledged] {
        acknowledged.filter { $0.batch.identity != identity && $0.offset != .none }
    }

    func standing(lastSequence last: Int32) -> Standing {
        let own = ownAcknowledged
        let retained = own.count
        let first = own.first.map { acknowledged[$0].batch } ?? pending.first { $0.batch.identity == identity }?.batch
        let half: Int64 = 1 << 30
        guard let first else {
            if Sequence32.advance(last, by: 1) == nextSequence { return .present(acknowledged: 0, pending: 0) }
            let behind = Sequence32.distance(from: Sequence32.advance(last, by: 1), to: nextSequence)
            return behind < half && nextSequence != 0 ? .behind(records: behind) : .ahead
        }
        let next = Sequence32.advance(last, by: 1)
        if next == first.baseSequence { return .present(acknowledged: 0, pending: 0) }
        if Sequence32.distance(from: first.baseSequence, to: last) >= half {
            return .behind(records: Sequence32.distance(from: next, to: first.baseSequence))
        }
        for (count, index) in own.enumerated() where acknowledged[index].batch.lastSequence == last {
            return .present(acknowledged: count + 1, pending: 0)
        }
        for (index, entry) in pending.enumerated() where entry.batch.identity == identity {
            // The broker can't hold what was never sent: these sequences are somebody else's.
            guard entry.maybeSent || !isUnanswered(entry) else { return .ahead }
            if entry.batch.lastSequence == last { return .present(acknowledged: retained, pending: index + 1) }
        }
        return .ahead
    }

    /// A broker keeps a producer for a day: one that it forgot sooner was lost with a part of the log.
    private func isForgottenTooSoon(_ context: LaneContext) -> Bool {
        guard let last = acknowledged.last, last.batch.identity == identity, last.offset != .none else { return false }
        guard let at = last.at else { return !hasOpened }
        return context.now - at < context.settings.memoryTrusted
    }

    /// Goes on sending, under a new epoch where that is due.
    mutating func resume(_ context: inout LaneContext) {
        if mustRebase || hasHole {
            beginEpoch(&context)
        } else {
            open(&context)
        }
    }

    func isUnanswered(_ entry: Pending) -> Bool {
        if case .acknowledged = entry.status { false } else { true }
    }

    mutating func forgetPresumptions() {
        for place in pending.indices where pending[place].status == .presumed { pending[place].status = .waiting }
    }

    /// Acknowledged batches that the broker lost wait to be sent again, before all others.
    mutating func reopen(_ places: [Int], _ context: inout LaneContext) {
        guard !places.isEmpty else { return }
        var ids: [BatchID] = []
        var records = 0
        var again: [Pending] = []
        for place in places {
            let batch = acknowledged[place].batch
            ids.append(batch.id)
            records += Int(batch.recordCount)
            again.append(Pending(batch: batch))
        }
        for place in places.reversed() { acknowledged.remove(at: place) }
        pending = Deque((again + pending).sorted { $0.batch.id < $1.batch.id })
        context.report(.tailLost(partition, batches: places.count, records: records))
        context.actions.append(.recordReopening(ids))
    }

    /// The log ends lower than it did.
    mutating func lowerFloor(_ context: inout LaneContext) {
        let ends = acknowledged.compactMap {
            $0.offset == .none ? nil : $0.offset + Int64($0.batch.recordCount)
        }
        floor = min(ends.max() ?? min(floor, endSeen), floor)
    }

    // MARK: - New identities

    mutating func giveUpIdentity(_ evidence: String, _ context: inout LaneContext) {
        guard !mustRenew else { return }
        mustRenew = true
        context.staleEvidence = evidence
        context.wantsProducerID = true
        context.identity = nil
    }

    /// Somebody found that the identity must not be used any longer.
    mutating func renewIdentity(_ context: inout LaneContext) {
        guard !mustRenew else { return }
        mustRenew = true
        switch state {
        case .open where inFlightCount == 0, .closed: follow(.renew, &context)
        case .open, .draining: drain(.renew, &context)
        case .inspecting, .pausing, .scanning, .awaitingProducerID: break
        }
    }

    mutating func renew(_ context: inout LaneContext) {
        if floor != .none && (!acknowledged.isEmpty || pending.contains(where: { $0.maybeSent && isUnanswered($0) })) {
            scan(.renewal, &context)
        } else {
            finishRenewal(&context)
        }
    }

    mutating func finishRenewal(_ context: inout LaneContext) {
        guard let identity = context.identity else {
            state = .awaitingProducerID
            return
        }
        mustRenew = false
        readsBack = true
        rebase(to: identity, &context)
        if hasBatches { inspect(&context) } else { state = .closed }
    }

    mutating func producerIDObtained(_ context: inout LaneContext) {
        if case .awaitingProducerID = state { finishRenewal(&context) }
    }

    /// The epochs of a producer id are ours to count (KIP-360); a broker takes a higher one where its first sequence is 0.
    mutating func beginEpoch(_ context: inout LaneContext) {
        guard identity.epoch.rawValue < Int16.max - 1 else {
            mustRenew = true
            context.wantsProducerID = true
            context.identity = nil
            return finishRenewal(&context)
        }
        rebase(
            to: ProducerIdentity(id: identity.id, epoch: ProducerEpoch(identity.epoch.rawValue + 1)), &context)
        open(&context)
    }

    private mutating func rebase(to new: ProducerIdentity, _ context: inout LaneContext) {
        identity = new
        isKnown = false
        nextSequence = 0
        strikes = 0
        mustRebase = false
        hasHole = false
        var ids: [BatchID] = []
        // What was found in the log keeps its old identity, and must not be pending when the new one is written down.
        for entry in pending {
            if case .acknowledged(let offset) = entry.status {
                context.actions.append(.recordAcknowledgement(entry.batch.id, partition, offset))
            }
        }
        for place in pending.indices where isUnanswered(pending[place]) {
            pending[place].batch.identity = new
            pending[place].batch.baseSequence = nextSequence
            pending[place].status = .waiting
            pending[place].maybeSent = false
            pending[place].wasMaybeSent = false
            nextSequence = pending[place].batch.nextSequence
            ids.append(pending[place].batch.id)
        }
        context.actions.append(
            .recordRebase(
                PartitionRebase(
                    partition: partition, topicID: topicID, identity: new, floor: floor, batches: ids)))
    }
}
