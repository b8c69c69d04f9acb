import Base
import KafkaClient
import Testing

@Suite struct Reconciling {
    private static func batch(_ id: UInt64, _ sequence: Int32, epoch: Int16 = 0) -> SealedBatch {
        SealedBatch(
            id: BatchID(id), partition: Transcript.partition, recordCount: 10, byteCount: 100,
            identity: ProducerIdentity(id: ProducerID(7), epoch: ProducerEpoch(epoch)), baseSequence: sequence)
    }

    /// Batches 1–3 acknowledged at 100, 110, 120; 4 and 5 pending.
    private static func recovered() -> Transcript {
        Transcript(recovered: [
            PartitionSnapshot(
                partition: Transcript.partition, topicID: Transcript.topicID, identity: Transcript.identity,
                nextSequence: 50, floor: Offset(130),
                acknowledged: [
                    (batch(1, 0), Offset(100)), (batch(2, 10), Offset(110)), (batch(3, 20), Offset(120)),
                ], pending: [batch(4, 30), batch(5, 40)])
        ])
    }

    @Test func aStartAsksBeforeAnythingIsSent() {
        var t = Self.recovered()
        t.start()
        #expect(t.take() == ["inspect"])
        t.inspected(end: 130, last: 29)
        #expect(t.take() == ["send 4 7/0 #30", "send 5 7/0 #40"])
    }

    @Test func aRestartedBrokerThatKeptTheLastBatchVouchesForAll() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 150, last: 49)
        #expect(t.take() == ["inspect", "send 5 7/0 #40"])
        t.acknowledge(5, at: 140)
        #expect(t.take() == ["ack 4@-1", "ack 5@140", "note: acknowledged 20"])
    }

    @Test func aBrokerThatLostItsTailGetsWhatItAcknowledged() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 110, last: 9)
        #expect(
            t.take() == [
                "inspect", "note: tail lost 2", "reopen [2, 3]", "send 2 7/0 #10", "send 3 7/0 #20", "send 4 7/0 #30",
                "send 5 7/0 #40",
            ])
    }

    @Test func aForgottenProducerIsLookedForInTheLog() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 150, .unknown)
        #expect(t.take() == ["inspect", "note: reconciling", "scan 120... for [3, 4, 5]"])
        t.scanned([3: 120, 4: 135], from: 120, end: 150)
        #expect(
            t.take() == [
                "ack 4@135", "note: acknowledged 10", "note: reconciled 1 present, 1 again", "rebase 7/1 [5]",
                "send 5 7/1 #0",
            ])
        // The next batch goes on from there.
        t.seal()
        #expect(t.take() == [])
        t.acknowledge(5, at: 150)
        #expect(t.take().last == "scan 150..<160 for [5]")
        t.scanned([5: 150], from: 150, end: 160)
        #expect(t.take().last == "send 6 7/1 #10")
    }

    @Test func wholeTailsAreFoundMissingByLooking() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 115, .unknown)
        #expect(t.take() == ["inspect", "note: reconciling", "scan 100... for [1, 2, 3, 4, 5]"])
        t.scanned([1: 100], from: 100, end: 115)
        #expect(
            t.take() == [
                "note: tail lost 2", "reopen [2, 3]", "note: reconciled 0 present, 4 again", "rebase 7/1 [2, 3, 4, 5]",
                "send 2 7/1 #0",
            ])
    }

    @Test func whatIsMissingBeforeALaterBatchHadBeenThere() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 150, .unknown)
        _ = t.take()
        t.scanned([3: 120, 5: 140], from: 120, end: 150)
        #expect(
            t.take() == [
                "note: refilled 1", "note: reconciled 1 present, 1 again", "ack 5@140", "rebase 7/1 [4]",
                "send 4 7/1 #0",
            ])
    }

    @Test func aBatchThatStandsAboveItsSuccessorIsThereForTheSecondTime() {
        var t = Transcript.open()
        t.seal(count: 3)
        t.produced(2, .unanswered(reason: "lost"))
        t.produced(3, .unanswered(reason: "lost"))
        t.produced(4, .unanswered(reason: "lost"))
        t.pass(.seconds(5))
        // Where 2 and 3 stood it has nothing any more; 4 is there.
        t.inspected(end: 140, last: 9)
        _ = t.take()
        t.acknowledge(2, at: 140)
        t.acknowledge(3, at: 150)
        t.acknowledge(4, at: 130)
        #expect(t.take().last == "note: refilled 2")
        // It is said once.
        t.seal()
        t.acknowledge(5, at: 160)
        #expect(!t.take().contains { $0.contains("refilled") })
    }

    @Test func whatWasLetGoIsNotSentAgainThoughYoungerBatchesStandBeforeIt() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 130, .unknown)
        t.scanned([:], from: 120, end: 130)
        t.scanned([3: 120], from: 100, end: 130)
        t.acknowledge(1, at: 130)
        t.scanned([1: 130], from: 130, end: 140)
        for (id, offset) in [(2, 140), (4, 150), (5, 160)] as [(UInt64, Int64)] { t.acknowledge(id, at: offset) }
        t.machine.freed(through: BatchID(2))
        t.pass(.seconds(600))
        _ = t.take()
        t.inspected(end: 100, .unknown)
        #expect(t.take().last == "scan 0... for [3, 4, 5]")
    }

    @Test func whatTheLogLetGoAndTheBrokerLostIsCounted() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 40, .unknown)
        _ = t.take()
        t.scanned([:], from: 0, end: 40)
        // Batches 1–3 stood at 100 … 129 and are sent again; what stood between 40 and 100 nobody holds.
        #expect(t.take().prefix(3) == ["note: tail lost 3", "reopen [1, 2, 3]", "note: acknowledged lost 60"])
    }

    @Test func whatCannotBeDecidedIsCountedAndRepeated() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 900, .unknown)
        _ = t.take()
        // Retention took the beginning.
        t.scanned([:], from: 500, end: 900)
        #expect(
            t.take() == [
                "note: ambiguous 2 repeat", "note: reconciled 0 present, 2 again", "rebase 7/1 [4, 5]",
                "send 4 7/1 #0",
            ])
    }

    @Test func orLeftOut() {
        var settings = ProducerSettings()
        settings.ambiguous = .skip
        var t = Self.recovered()
        t.machine = ProducerMachine(
            settings: settings, identity: Transcript.identity,
            recovered: [
                PartitionSnapshot(
                    partition: Transcript.partition, topicID: Transcript.topicID, identity: Transcript.identity,
                    nextSequence: 20, floor: Offset(100), acknowledged: [],
                    pending: [Self.batch(1, 0), Self.batch(2, 10)])
            ])
        t.start()
        t.inspected(end: 900, .unknown)
        t.scanned([:], from: 500, end: 900)
        #expect(t.take().contains("note: ambiguous 2 skip"))
        #expect(t.machine.pendingCount == 0)
    }

    @Test func aLaterBatchThatWasReadBackVouchesForEarlierOnes() {
        var t = Transcript.open()
        t.pass(.seconds(60))
        t.inspected(end: 110, last: 9)
        t.seal(count: 3)
        _ = t.take()
        t.produced(2, .unanswered(reason: "closed"))
        t.produced(3, .unanswered(reason: "closed"))
        t.acknowledge(4, at: 130)
        t.pass(.seconds(1))
        #expect(t.take().last == "scan 130..<140 for [4]")
        t.scanned([4: 130], from: 130, end: 140)
        #expect(t.take() == ["inspect"])
        t.inspected(end: 140, last: 39)
        #expect(t.take() == ["ack 2@-1", "ack 3@-1", "ack 4@130", "note: acknowledged 30"])
    }

    @Test func outOfOrderLeadsToALook() {
        var t = Transcript.open()
        t.seal(count: 2)
        _ = t.take()
        t.refuse(2, 45)
        t.refuse(3, 45)
        #expect(t.take() == ["note: reconciling", "inspect"])
        // The broker lost batch 1.
        t.inspected(end: 100, .unknown)
        #expect(t.take() == ["note: reconciling", "scan 0... for [1, 2, 3]"])
        t.scanned([:], from: 0, end: 100)
        #expect(
            t.take() == [
                "note: tail lost 1", "reopen [1]", "note: reconciled 0 present, 3 again", "rebase 7/1 [1, 2, 3]",
                "send 1 7/1 #0",
            ])
    }

    @Test func aBrokerThatContradictsItselfGetsANewEpoch() {
        var t = Transcript.open()
        t.seal()
        for _ in 0..<2 {
            t.refuse(2, 45)
            t.pass(.seconds(1))
            t.inspected(end: 110, last: 9)
        }
        t.refuse(2, 45)
        t.pass(.seconds(1))
        _ = t.take()
        t.inspected(end: 110, last: 9)
        t.scanned([1: 100], from: 100, end: 110)
        #expect(t.take().suffix(2) == ["rebase 7/1 [2]", "send 2 7/1 #0"])
    }

    @Test func aQuietPartitionIsAskedWhetherItStillHoldsWhatItTook() {
        var t = Transcript.open()
        t.pass(.seconds(59))
        #expect(t.take() == [])
        t.pass(.seconds(1))
        #expect(t.take() == ["inspect"])
        t.inspected(end: 110, last: 9)
        #expect(t.take() == [])
        t.pass(.seconds(60))
        t.inspected(end: 40, .unknown)
        #expect(t.take() == ["inspect", "note: reconciling", "scan 0... for [1]"])
        t.scanned([:], from: 0, end: 40)
        #expect(
            t.take() == [
                // Whose the records from 40 to 100 were can't be told.
                "note: tail lost 1", "reopen [1]", "note: acknowledged lost 60", "note: reconciled 0 present, 1 again",
                "rebase 7/1 [1]", "send 1 7/1 #0",
            ])
    }

    @Test func aTopicMadeAnewGetsWhatIsPendingOnly() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 0, .unknown, topicID: TopicID(high: 2, low: 2))
        #expect(
            t.take() == [
                "inspect", "note: recreated", "opening 0", "rebase 7/1 [4, 5]", "send 4 7/1 #0",
            ])
    }

    @Test func withoutDescribeProducersTheLogIsReadAtStartAndAfterASilence() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 140, .unavailable)
        #expect(t.take().last == "scan 120... for [3, 4, 5]")
        t.scanned([3: 120, 4: 130], from: 120, end: 140)
        _ = t.take()
        t.produced(5, .unanswered(reason: "closed"))
        t.pass(.seconds(1))
        t.inspected(end: 150, .unavailable)
        // What was acknowledged under the older epoch may be gone from the midst of the log.
        #expect(t.take().last == "scan 100..<140 for [1, 2, 3, 4]")
        t.scanned([1: 100, 2: 110, 3: 120, 4: 130], from: 100, end: 140)
        t.inspected(end: 150, .unavailable)
        #expect(t.take().last == "scan 140... for [5]")
        // A request that was lost may still arrive: under the same sequence it can't be appended twice.
        t.scanned([:], from: 140, end: 150)
        #expect(t.take() == ["note: reconciled 0 present, 1 again", "send 5 7/1 #0"])
        t.produced(5, .unanswered(reason: "closed"))
        t.pass(.seconds(1))
        t.inspected(end: 160, .unavailable)
        t.scanned([1: 100, 2: 110, 3: 120, 4: 130], from: 100, end: 140)
        t.inspected(end: 160, .unavailable)
        t.scanned([5: 150], from: 140, end: 160)
        #expect(t.take().contains("ack 5@150"))
    }

    @Test func whatWasFoundBeforeAnEpochBeganIsWrittenDownWithIt() {
        var t = Self.recovered()
        t.start()
        t.inspected(end: 140, .unknown)
        t.scanned([3: 120, 5: 130], from: 120, end: 140)
        #expect(
            t.take().suffix(4) == [
                "note: reconciled 1 present, 1 again", "ack 5@130", "rebase 7/1 [4]", "send 4 7/1 #0",
            ], "its old sequence means nothing under the new epoch")
    }

    @Test func aBatchThatCannotBeReadBackIsCountedAndTheRestGoesOn() {
        var t = Transcript.open()
        t.seal(count: 2)
        _ = t.take()
        t.lines = []
        let actions = t.machine.intentUnreadable(BatchID(2), in: Transcript.partition, reason: "rot", now: t.now)
        #expect(actions.contains(.recordGivingUp(BatchID(2))))
        t.refuse(3, 45)
        t.inspected(end: 110, last: 9)
        t.scanned([1: 100], from: 100, end: 110)
        #expect(t.take().last == "send 3 7/1 #0")
    }
}

@Suite struct StaleState {
    private static let other = ProducerIdentity(id: ProducerID(9), epoch: ProducerEpoch(0))

    @Test func aNewBatchAcknowledgedBelowTheEndThatWasSeenIsSomebodyElses() {
        var t = Transcript.open()
        t.pass(.seconds(60))
        t.inspected(end: 500, last: 9)
        _ = t.take()
        t.seal()
        t.acknowledge(2, at: 300)
        #expect(t.take() == ["send 2 7/0 #10", "scan 300..<310 for [2]"])
        t.scanned([:], from: 300, end: 310)
        // Whether what was acknowledged under the old identity is there, nobody will be able to ask the broker any more.
        #expect(t.take() == ["note: reconciling", "scan 100... for [1]", "note: stale", "obtain"])
        t.scanned([1: 100], from: 100, end: 500)
        #expect(t.take() == ["note: reconciled 0 present, 1 again"])
        t.answered(.producerIDObtained(Self.other))
        #expect(t.take() == ["producer 9/0", "note: producer changed", "rebase 9/0 [2]", "inspect"])
        t.inspected(end: 500, .unknown)
        #expect(t.take() == ["send 2 9/0 #0"])
        // And the first under the new identity is read back.
        t.acknowledge(2, at: 500)
        #expect(t.take() == ["scan 500..<510 for [2]"])
    }

    @Test func orOursWhereTheBrokerLostItsTail() {
        var t = Transcript.open()
        t.seal()
        t.acknowledge(2, at: 40)
        _ = t.take()
        t.scanned([2: 40], from: 40, end: 50)
        #expect(
            t.take() == [
                "ack 2@40", "note: acknowledged 10", "note: reconciling", "note: reconciling", "scan 40... for [1, 2]",
            ])
        t.scanned([2: 40], from: 40, end: 50)
        #expect(
            t.take() == [
                "note: tail lost 1", "reopen [1]", "note: reconciled 0 present, 1 again", "rebase 7/1 [1]",
                "send 1 7/1 #0",
            ])
    }

    @Test func aBrokerThatIsAheadOfUsMeansAClone() {
        var t = Transcript.open()
        t.seal()
        _ = t.take()
        t.refuse(2, 45)
        t.inspected(end: 500, last: 199)
        #expect(
            t.take() == [
                "note: reconciling", "inspect", "note: reconciling", "scan 100... for [1, 2]", "note: stale", "obtain",
            ])
        t.scanned([1: 100], from: 100, end: 500)
        t.answered(.producerIDObtained(Self.other))
        t.inspected(end: 500, .unknown)
        #expect(t.take().last == "send 2 9/0 #0")
    }

    @Test func sequencesOfABatchThatWasNeverSentAreSomebodyElses() {
        var t = Transcript()
        t.start()
        t.seal()
        t.inspected(end: 100, .unknown)
        t.acknowledge(1, at: 100)
        t.scanned([1: 100], from: 100, end: 110)
        t.pass(.seconds(60))
        // While the broker is asked, a batch is sealed whose last sequence is just the one that the broker names.
        t.seal()
        _ = t.take()
        t.inspected(end: 120, last: 19)
        #expect(t.take() == ["note: reconciling", "scan 100... for [1]", "note: stale", "obtain"])
    }

    /// A power cut at the broker may look like a stale state, and takes acknowledged batches from amid the log.
    @Test func whatWasAcknowledgedIsLookedForBeforeTheIdentityIsGivenUp() {
        var t = Transcript.open()
        t.seal()
        _ = t.take()
        t.refuse(2, 45)
        t.inspected(end: 500, last: 199)
        _ = t.take()
        t.scanned([:], from: 100, end: 500)
        #expect(t.take() == ["note: tail lost 1", "reopen [1]", "note: reconciled 0 present, 2 again"])
        t.answered(.producerIDObtained(Self.other))
        t.inspected(end: 500, .unknown)
        #expect(t.take().last == "send 1 9/0 #0")
    }

    @Test func fencedProducersTakeANewIdentity() {
        var t = Transcript.open()
        t.seal()
        _ = t.take()
        t.refuse(2, 47)
        #expect(t.take().contains("obtain"))
    }

    @Test func withoutAnIdentityEverythingMovesToANewOne() {
        let snapshot = PartitionSnapshot(
            partition: Transcript.partition, topicID: Transcript.topicID, identity: Transcript.identity,
            nextSequence: 10, floor: Offset(100), acknowledged: [],
            pending: [
                SealedBatch(
                    id: BatchID(1), partition: Transcript.partition, recordCount: 10, byteCount: 100,
                    identity: Transcript.identity, baseSequence: 0)
            ])
        var t = Transcript()
        t.machine = ProducerMachine(settings: ProducerSettings(), identity: nil, recovered: [snapshot])
        t.start()
        #expect(t.take() == ["obtain", "inspect"])
        t.answered(.producerIDObtained(Self.other))
        t.inspected(end: 200, .unknown)
        #expect(t.take().suffix(2) == ["note: reconciling", "scan 100... for [1]"])
        t.scanned([:], from: 100, end: 200)
        #expect(t.take() == ["note: reconciled 0 present, 1 again", "rebase 9/0 [1]", "inspect"])
    }

    @Test func usedUpEpochsAreFollowedByANewProducer() {
        let last = ProducerIdentity(id: ProducerID(7), epoch: ProducerEpoch(Int16.max - 1))
        let snapshot = PartitionSnapshot(
            partition: Transcript.partition, topicID: Transcript.topicID, identity: last, nextSequence: 10,
            floor: Offset(100), acknowledged: [],
            pending: [
                SealedBatch(
                    id: BatchID(1), partition: Transcript.partition, recordCount: 10, byteCount: 100, identity: last,
                    baseSequence: 0)
            ])
        var t = Transcript(recovered: [snapshot])
        t.start()
        t.inspected(end: 200, .unknown)
        t.scanned([:], from: 100, end: 200)
        #expect(t.take().last == "obtain")
        t.answered(.producerIDObtained(Self.other))
        #expect(t.take().contains("rebase 9/0 [1]"))
    }
}
