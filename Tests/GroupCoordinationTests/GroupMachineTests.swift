import Base
import GroupCoordination
import KafkaWire
import NIOCore
import Testing

@Suite struct Joining {
    @Test func anEmptyGroupWaitsAMomentForMoreMembers() {
        var transcript = GroupTranscript()
        transcript.join("a")
        transcript.pass(.milliseconds(200))
        transcript.join("b")
        transcript.pass(.milliseconds(200))
        #expect(transcript.joins.isEmpty)
        transcript.pass(.milliseconds(100))
        #expect(transcript.joins["a"]?.generation == 1)
        #expect(transcript.joins["b"]?.generation == 1)
        #expect(transcript.joins["a"]?.members.count == 2)
        #expect(transcript.joins["b"]?.members.isEmpty == true)
    }

    @Test func aMemberWithoutAnIDIsToldItsIDFirst() {
        var transcript = GroupTranscript()
        transcript.join("a", knownIDRequired: true)
        #expect(transcript.joins["a"]?.error == .memberIdRequired)
        let id = transcript.joins["a"]?.memberID ?? ""
        transcript.join("a", memberID: id, knownIDRequired: true)
        transcript.pass(.milliseconds(300))
        #expect(transcript.joins["a"]?.error == ErrorCode.none)
        #expect(transcript.joins["a"]?.memberID == id)
    }

    @Test func anUnknownIDIsRefused() {
        var transcript = GroupTranscript()
        transcript.join("a", memberID: "stranger")
        #expect(transcript.joins["a"]?.error == .unknownMemberId)
    }

    @Test func membersWithoutACommonAssignorAreRefused() {
        var transcript = GroupTranscript.stable(["a"])
        transcript.join("b", protocols: ["sticky"])
        #expect(transcript.joins["b"]?.error == .inconsistentGroupProtocol)
        #expect(transcript.group.state == .stable)
    }

    @Test func theAssignorMostMembersPreferIsElected() {
        var transcript = GroupTranscript()
        transcript.join("a", protocols: ["range", "sticky"])
        transcript.join("b", protocols: ["sticky", "range"])
        transcript.join("c", protocols: ["sticky", "range"])
        transcript.pass(.milliseconds(300))
        #expect(transcript.joins["a"]?.protocolName == "sticky")
    }

    @Test func aSessionTimeoutOutsideTheBoundsIsRefused() {
        var transcript = GroupTranscript()
        transcript.join("a", sessionTimeout: .seconds(1))
        #expect(transcript.joins["a"]?.error == .invalidSessionTimeout)
    }

    @Test func aGroupHasAtMostItsLimitOfMembers() {
        var settings = GroupSettings()
        settings.membersMax = 1
        var transcript = GroupTranscript(settings: settings)
        transcript.join("a")
        transcript.join("b")
        #expect(transcript.joins["b"]?.error == .groupMaxSizeReached)
    }
}

@Suite struct Rebalancing {
    @Test func aNewMemberMakesTheOthersJoinAgain() {
        var transcript = GroupTranscript.stable(["a"])
        let id = transcript.joins["a"]?.memberID ?? ""
        transcript.join("b")
        #expect(transcript.joins["b"] == nil)
        #expect(transcript.heartbeat("a") == .rebalanceInProgress)
        transcript.join("a", memberID: id)
        #expect(transcript.joins["a"]?.generation == 2)
        #expect(transcript.joins["b"]?.generation == 2)
    }

    @Test func aMemberThatDoesNotJoinAgainIsDropped() {
        var transcript = GroupTranscript.stable(["a"])
        transcript.join("b")
        for _ in 0..<4 {
            transcript.pass(.seconds(8))
            _ = transcript.heartbeat("a")
        }
        #expect(transcript.joins["b"]?.generation == 2)
        #expect(transcript.group.members.count == 1)
        #expect(transcript.heartbeat("a") == .unknownMemberId)
    }

    @Test func aHeartbeatDuringARebalanceKeepsTheSession() {
        var transcript = GroupTranscript.stable(["a"])
        transcript.join("b")
        transcript.pass(.seconds(8))
        #expect(transcript.heartbeat("a") == .rebalanceInProgress)
        transcript.pass(.seconds(8))
        #expect(transcript.group.members.count == 2)
    }

    @Test func leavingRebalancesTheRest() {
        var transcript = GroupTranscript.stable(["a", "b"])
        let id = transcript.joins["b"]?.memberID ?? ""
        #expect(transcript.leave("a") == ErrorCode.none)
        #expect(transcript.heartbeat("b") == .rebalanceInProgress)
        transcript.join("b", memberID: id)
        #expect(transcript.joins["b"]?.generation == 2)
        #expect(transcript.joins["b"]?.leader == id)
    }

    @Test func aSessionThatEndsDropsTheMember() {
        var transcript = GroupTranscript.stable(["a", "b"])
        transcript.pass(.seconds(6))
        _ = transcript.heartbeat("b")
        transcript.pass(.seconds(5))
        #expect(transcript.group.members.count == 1)
        #expect(transcript.heartbeat("b") == .rebalanceInProgress)
    }

    @Test func theLastToLeaveLeavesTheGroupEmpty() {
        var transcript = GroupTranscript.stable(["a"])
        #expect(transcript.leave("a") == ErrorCode.none)
        #expect(transcript.group.state == .empty)
        #expect(transcript.persists.last == 2)
    }

    @Test func aLostJoinAnswerIsGivenAgain() {
        var transcript = GroupTranscript()
        transcript.join("a")
        transcript.pass(.milliseconds(300))
        let first = transcript.joins["a"]
        transcript.join("a", memberID: first?.memberID ?? "")
        #expect(transcript.joins["a"] == first)
    }

    @Test func aStableFollowerThatJoinsUnchangedDisturbsNobody() {
        var transcript = GroupTranscript.stable(["a", "b"])
        let id = transcript.joins["b"]?.memberID ?? ""
        transcript.join("b", memberID: id)
        #expect(transcript.joins["b"]?.generation == 1)
        #expect(transcript.group.state == .stable)
    }
}

@Suite struct Syncing {
    @Test func assignmentsReachTheMembersOnceTheLogHasThem() {
        var transcript = GroupTranscript()
        transcript.join("a")
        transcript.join("b")
        transcript.pass(.milliseconds(300))
        let b = transcript.joins["b"]?.memberID ?? ""
        transcript.sync("b")
        transcript.sync("a", assignments: [b: "p1"])
        #expect(transcript.syncs.isEmpty)
        transcript.persisted()
        #expect(transcript.syncs["b"]?.assignment == ByteBuffer(string: "p1"))
        #expect(transcript.syncs["a"]?.assignment == ByteBuffer())
        #expect(transcript.group.state == .stable)
    }

    @Test func whenTheLogRefusesTheMembersJoinAgain() {
        var transcript = GroupTranscript()
        transcript.join("a")
        transcript.pass(.milliseconds(300))
        transcript.sync("a")
        transcript.persisted(error: .coordinatorNotAvailable)
        #expect(transcript.syncs["a"]?.error == .coordinatorNotAvailable)
        #expect(transcript.heartbeat("a") == .rebalanceInProgress)
    }

    @Test func anOldGenerationIsFenced() {
        var transcript = GroupTranscript.stable(["a"])
        transcript.sync("a", generation: 0)
        #expect(transcript.syncs["a"]?.error == .illegalGeneration)
    }

    @Test func aMemberThatDoesNotSyncInTimeIsDropped() {
        var transcript = GroupTranscript()
        transcript.join("a")
        transcript.join("b")
        transcript.pass(.milliseconds(300))
        transcript.sync("b")
        for _ in 0..<4 {
            transcript.pass(.seconds(8))
            _ = transcript.heartbeat("a")
            _ = transcript.heartbeat("b")
        }
        #expect(transcript.syncs["b"]?.error == .rebalanceInProgress)
        #expect(transcript.heartbeat("a") == .unknownMemberId)
    }
}

@Suite struct StaticMembers {
    @Test func aRestartWithinTheSessionDoesNotRebalance() {
        var transcript = GroupTranscript.stable(["a", "b"], instances: ["b": "i-b"])
        let old = transcript.joins["b"]?.memberID ?? ""
        transcript.join("b", instance: "i-b")
        #expect(transcript.joins["b"]?.generation == 1)
        #expect(transcript.joins["b"]?.memberID != old)
        #expect(transcript.group.state == .stable)
        #expect(
            transcript.group.heartbeatReceived(memberID: old, instanceID: "i-b", generation: 1, now: transcript.now)
                == .fencedInstanceId)
    }
}

@Suite struct Committing {
    @Test func aMemberOfTheGenerationMayCommit() {
        var transcript = GroupTranscript.stable(["a"])
        #expect(transcript.commit("a") == ErrorCode.none)
        #expect(transcript.commit("a", generation: 0) == .illegalGeneration)
    }

    @Test func aStrangerMayNot() {
        var transcript = GroupTranscript.stable(["a"])
        #expect(transcript.commit("b", generation: 1) == .unknownMemberId)
        #expect(transcript.commit("b", generation: -1) == .unknownMemberId)
    }

    @Test func anEmptyGroupTakesSimpleCommits() {
        var transcript = GroupTranscript()
        #expect(transcript.commit("nobody", generation: -1) == ErrorCode.none)
        #expect(transcript.commit("nobody", generation: 3) == .illegalGeneration)
    }

    @Test func whileARebalanceCompletesCommitsWait() {
        var transcript = GroupTranscript()
        transcript.join("a")
        transcript.pass(.milliseconds(300))
        #expect(transcript.commit("a") == .rebalanceInProgress)
    }
}

@Suite struct Restoring {
    @Test func aGroupGoesOnWhereItsMetadataRecordStood() throws {
        var transcript = GroupTranscript.stable(["a", "b"])
        let record = GroupRecord.group("g", transcript.group.metadata(wallTime: transcript.wallTime))
        let (key, value) = try record.encoded()
        guard case .group("g", let restored?) = try GroupRecord.decode(key: key, value: value) else {
            Issue.record("not a group record")
            return
        }
        transcript.group = GroupMachine(id: "g", restoring: restored, settings: GroupSettings(), now: transcript.now)
        #expect(transcript.heartbeat("a") == ErrorCode.none)
        transcript.sync("b")
        #expect(transcript.syncs["b"]?.assignment == ByteBuffer(string: "partitions of b"))
    }

    @Test func offsetsReadBackAsTheyWereWritten() throws {
        let committed = CommittedOffset(
            offset: Offset(42), leaderEpoch: LeaderEpoch(3), metadata: "m", committedAt: Timestamp(milliseconds: 5))
        let record = GroupRecord.offset(group: "g", partition: TopicPartition(topic: "t", partition: 1), committed)
        let (key, value) = try record.encoded()
        #expect(try GroupRecord.decode(key: key, value: value) == record)
        #expect(
            try GroupRecord.decode(key: key, value: nil)
                == .offset(group: "g", partition: TopicPartition(topic: "t", partition: 1), nil))
    }

    /// What members may read for all that can be told is kept, however old.
    @Test func offsetsOfAnActiveGroupAreKeptWhereItsTopicsCannotBeTold() {
        var table = OffsetTable()
        let partition = TopicPartition(topic: "t", partition: 0)
        table["g", partition] = CommittedOffset(
            offset: Offset(1), leaderEpoch: .none, metadata: "", committedAt: Timestamp(milliseconds: 0))
        var transcript = GroupTranscript()
        let late = Timestamp(milliseconds: 0) + .seconds(1_000_000)
        func expired(_ machine: GroupMachine?) -> [TopicPartition] {
            table.expired(group: "g", machine: machine, retention: .seconds(5), wallTime: late)
        }
        #expect(expired(nil) == [partition])
        #expect(expired(transcript.group) == [partition])
        // The metadata is no subscription.
        transcript.join("a")
        #expect(expired(transcript.group) == [] && transcript.group.subscribedTopics == nil)
        #expect(
            transcript.group.offsetDeletionRequested([partition])
                == .failure(OffsetDeletionRefusal(code: .nonEmptyGroup)))
    }

    @Test func offsetsExpireAfterTheGroupHasBeenEmptyLongEnough() {
        var table = OffsetTable()
        let partition = TopicPartition(topic: "t", partition: 0)
        table["g", partition] = CommittedOffset(
            offset: Offset(1), leaderEpoch: .none, metadata: "", committedAt: Timestamp(milliseconds: 0))
        let empty = Timestamp(milliseconds: 10_000)
        #expect(
            table.expired(group: "g", emptySince: empty, retention: .seconds(5), wallTime: empty + .seconds(4)).isEmpty)
        #expect(
            table.expired(group: "g", emptySince: empty, retention: .seconds(5), wallTime: empty + .seconds(5)) == [
                partition
            ])
    }
}
