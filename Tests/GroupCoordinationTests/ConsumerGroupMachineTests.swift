import Base
import KafkaWire
import Testing

@testable import GroupCoordination

@Suite struct ConsumerJoining {
    @Test func theFirstMemberGetsEverythingAtOnce() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        #expect(transcript.answer?.epoch == 1)
        #expect(transcript.owned("a") == [0, 1, 2, 3])
        #expect(transcript.group.stateName == "Stable")
    }

    @Test func aMemberThatHearsNothingNewIsNotToldItsAssignmentAgain() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        transcript.beat("a")
        #expect(transcript.answer?.assignment == nil)
        #expect(transcript.lastRecords.isEmpty)
    }

    @Test func aSecondMemberGetsAPartitionOnceTheFirstGaveItUp() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        transcript.join("b")
        #expect(transcript.answer?.epoch == 2)
        #expect(transcript.count("b") == 0)
        // The first hears what it may keep, and only what it then says frees the rest.
        transcript.send(transcript.request("a"))
        #expect(transcript.answer?.epoch == 1)
        let kept = transcript.answer?.assignment
        #expect(kept?.count == 2)
        transcript.beat("b")
        #expect(transcript.count("b") == 0)
        transcript.members["a"]?.owned = kept ?? MemberAssignment()
        transcript.beat("a")
        #expect(transcript.answer?.epoch == 2)
        transcript.beat("b")
        #expect(transcript.count("b") == 2)
        #expect(Set(transcript.owned("a") + transcript.owned("b")) == [0, 1, 2, 3])
        #expect(transcript.group.stateName == "Stable")
    }

    @Test func whatIsMissingInAJoinIsSaid() {
        var transcript = ConsumerTranscript()
        func join(_ change: (inout ConsumerHeartbeat) -> Void) -> ConsumerHeartbeat {
            var request = ConsumerHeartbeat(
                memberID: "a", epoch: 0, clientID: "a", clientHost: "/127.0.0.1", rebalanceTimeout: .seconds(60),
                topicNames: ["t"], owned: MemberAssignment())
            change(&request)
            return request
        }
        let faulty: [ConsumerHeartbeat] = [
            join { $0.memberID = "" }, join { $0.rebalanceTimeout = nil }, join { $0.topicNames = nil },
            join { $0.owned = nil }, join { $0.owned?.insert(TopicID(high: 1, low: 1), 0) }, join { $0.epoch = -3 },
            join { $0.epoch = -2 }, join { $0.instanceID = "" }, join { $0.rebalanceTimeout = .zero },
        ]
        for request in faulty {
            transcript.send(request)
            #expect(transcript.refusal == .invalidRequest, "\(request)")
        }
        transcript.send(join { $0.assignor = "sticky" })
        #expect(transcript.refusal == .unsupportedAssignor)
        transcript.send(join { $0.topicPattern = "(" })
        #expect(transcript.refusal == .invalidRegularExpression)
        #expect(transcript.group.members.isEmpty && transcript.log.isEmpty)
        // Version 0 leaves the making of the id to the broker.
        transcript.send(join { ($0.memberID, $0.newMemberID) = ("", "made") })
        #expect(transcript.answer?.memberID == "made")
    }

    @Test func aGroupHasAtMostItsLimitOfMembers() {
        var settings = GroupSettings()
        settings.membersMax = 1
        var transcript = ConsumerTranscript(settings: settings)
        transcript.join("a")
        transcript.join("b")
        #expect(transcript.refusal == .groupMaxSizeReached)
    }
}

@Suite struct ConsumerFencing {
    @Test func aStrangerIsUnknown() {
        var transcript = ConsumerTranscript()
        transcript.members["a"] = .init(id: "a", epoch: 3)
        transcript.beat("a")
        #expect(transcript.refusal == .unknownMemberId)
    }

    @Test func anEpochFromTheFutureIsFenced() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        transcript.members["a"]?.epoch = 2
        transcript.beat("a")
        #expect(transcript.refusal == .fencedMemberEpoch)
    }

    @Test func whoDidNotHearTheAnswerMaySayItAgain() {
        var transcript = ConsumerTranscript()
        transcript.members["a"] = .init(id: "a", topics: ["t"])
        let join = transcript.request("a")
        transcript.send(join)
        let first = transcript.answer
        transcript.send(join)
        #expect(transcript.answer == first)
        #expect(transcript.lastRecords.isEmpty)
    }

    @Test func anOldEpochIsFencedWhereTheMemberOwnsWhatItMayNot() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        transcript.join("b")
        let owned = transcript.members["a"]?.owned ?? MemberAssignment()
        transcript.settle()
        #expect(transcript.members["a"]?.epoch == 2)
        transcript.members["a"]?.epoch = 1
        transcript.members["a"]?.owned = owned
        transcript.beat("a")
        #expect(transcript.refusal == .fencedMemberEpoch)
    }

    /// A join that was sent before, and arrives late, says that the member owns nothing.
    @Test func aLateJoinGivesNothingUp() {
        var transcript = ConsumerTranscript()
        transcript.members["a"] = .init(id: "a", topics: ["t"])
        let join = transcript.request("a")
        transcript.beat("a")
        transcript.join("b")
        transcript.send(transcript.request("a"))
        #expect(transcript.group.members["a"]?.state == .unrevokedPartitions)
        transcript.send(join)
        #expect(transcript.group.members["a"]?.revoking.count == 2)
        transcript.beat("b")
        #expect(transcript.count("b") == 0)
    }

    @Test func commitsNeedTheMembersEpoch() {
        var transcript = ConsumerTranscript()
        #expect(transcript.group.offsetsRequested(memberID: "", epoch: -1, writes: true) == .none)
        transcript.join("a")
        func commit(_ id: String, _ epoch: Int32) -> ErrorCode {
            transcript.group.offsetsRequested(memberID: id, epoch: epoch, writes: true)
        }
        #expect(commit("a", 1) == .none)
        #expect(commit("a", 0) == .staleMemberEpoch)
        #expect(commit("b", 1) == .unknownMemberId)
        #expect(commit("", -1) == .unknownMemberId)
        // Anybody may look, but who says that it is a member has to be one.
        #expect(transcript.group.offsetsRequested(memberID: "", epoch: -1, writes: false) == .none)
        #expect(transcript.group.offsetsRequested(memberID: "a", epoch: 2, writes: false) == .staleMemberEpoch)
    }
}

@Suite struct ConsumerLeaving {
    @Test func whatALeavingMemberHadGoesToTheOthers() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        transcript.join("b")
        transcript.settle()
        transcript.leave("a")
        #expect(transcript.answer?.epoch == -1)
        transcript.settle()
        #expect(transcript.owned("b") == [0, 1, 2, 3])
        transcript.leave("b")
        #expect(transcript.group.stateName == "Empty")
    }

    @Test func aSilentMemberIsDroppedWhenItsSessionEnds() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        transcript.join("b")
        transcript.settle()
        transcript.pass(.seconds(44))
        transcript.beat("b")
        #expect(transcript.group.members.count == 2)
        transcript.pass(.seconds(1))
        #expect(Array(transcript.group.members.keys) == ["b"])
        transcript.settle(["b"])
        #expect(transcript.owned("b") == [0, 1, 2, 3])
        transcript.beat("a")
        #expect(transcript.refusal == .unknownMemberId)
    }

    @Test func whoDoesNotGiveUpInTimeIsDropped() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        transcript.join("b")
        // It lives, but still owns everything.
        let stuck = transcript.request("a")
        transcript.send(stuck)
        for _ in 0..<3 {
            transcript.pass(.seconds(19))
            transcript.send(stuck)
            transcript.beat("b")
            #expect(transcript.count("b") == 0)
        }
        transcript.pass(.seconds(3))
        #expect(Array(transcript.group.members.keys) == ["b"])
        transcript.settle(["b"])
        #expect(transcript.owned("b") == [0, 1, 2, 3])
    }
}

@Suite struct ConsumerStaticMembers {
    @Test func aStaticMemberIsBackWithoutARebalance() {
        var transcript = ConsumerTranscript()
        transcript.join("a", instance: "i", id: "a1")
        transcript.join("b")
        transcript.settle()
        let owned = transcript.owned("a")
        let epoch = transcript.group.epoch
        transcript.leave("a", epoch: -2)
        #expect(transcript.answer?.epoch == -2)
        transcript.beat("b")
        #expect(transcript.count("b") == 2)
        transcript.join("a", instance: "i", id: "a2")
        #expect(transcript.owned("a") == owned)
        #expect(transcript.group.epoch == epoch)
        #expect(Set(transcript.group.members.keys) == ["a2", "b"])
        #expect(transcript.group.stateName == "Stable")
    }

    /// A heartbeat leaves out what has not changed since the last, the instance id too.
    @Test func aStaticMemberSaysOnceWhichInstanceItIs() {
        var transcript = ConsumerTranscript()
        transcript.join("a", instance: "i")
        transcript.members["a"]?.instanceID = nil
        transcript.beat("a")
        #expect(transcript.refusal == nil)
        #expect(transcript.group.members["a"]?.instanceID == "i")
    }

    @Test func anInstanceThatIsThereIsNotReplaced() {
        var transcript = ConsumerTranscript()
        transcript.join("a", instance: "i", id: "a1")
        transcript.join("thief", instance: "i", id: "a2")
        #expect(transcript.refusal == .unreleasedInstanceId)
        transcript.beat("a")
        #expect(transcript.refusal == nil)
    }

    @Test func theFormerMemberOfAnInstanceIsFenced() {
        var transcript = ConsumerTranscript()
        transcript.join("a", instance: "i", id: "a1")
        let former = transcript.request("a")
        transcript.leave("a", epoch: -2)
        transcript.join("a", instance: "i", id: "a2")
        transcript.send(former)
        #expect(transcript.refusal == .fencedInstanceId)
    }

    @Test func whoStaysAwayLosesItsPlace() {
        var transcript = ConsumerTranscript()
        transcript.join("a", instance: "i")
        transcript.join("b")
        transcript.settle()
        transcript.leave("a", epoch: -2)
        transcript.pass(.seconds(30))
        transcript.beat("b")
        #expect(transcript.count("b") == 2)
        transcript.pass(.seconds(15))
        transcript.settle(["b"])
        #expect(transcript.owned("b") == [0, 1, 2, 3])
    }
}

@Suite struct ConsumerTopics {
    @Test func newPartitionsAreHandedOut() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        transcript.join("b")
        transcript.settle()
        transcript.grow("t", to: 6)
        transcript.settle()
        #expect(transcript.count("a") == 3)
        #expect(transcript.count("b") == 3)
    }

    @Test func aTopicThatIsMadeLaterIsFound() {
        var transcript = ConsumerTranscript(topics: [:])
        transcript.join("a")
        #expect(transcript.count("a") == 0)
        transcript.grow("t", to: 2)
        transcript.beat("a")
        #expect(transcript.owned("a") == [0, 1])
    }

    @Test func aTopicOfOthersIsNoNews() {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        let epoch = transcript.group.epoch
        transcript.grow("u", to: 2)
        transcript.beat("a")
        #expect(transcript.group.epoch == epoch)
        #expect(transcript.lastRecords.isEmpty)
    }

    @Test func aPatternFindsTopicsAsTheyCome() {
        var transcript = ConsumerTranscript(topics: ["t": 1, "logs.a": 2, "__own": 1])
        transcript.join("a", topics: nil, pattern: "logs\\..*")
        #expect(transcript.owned("a", "logs.a") == [0, 1])
        transcript.grow("logs.b", to: 1)
        transcript.beat("a")
        #expect(transcript.owned("a", "logs.b") == [0])
        #expect(transcript.group.subscribedTopics == ["logs.a", "logs.b"])
        transcript.join("b", topics: [], pattern: ".*")
        // The broker's own topics are named, never found.
        #expect(!transcript.group.subscribedTopics.contains("__own"))
        transcript.leave("a")
        #expect(transcript.lastRecords.contains(.consumerPattern(group: "g", pattern: "logs\\..*", nil)))
    }

    @Test func membersMaySubscribeAnew() {
        var transcript = ConsumerTranscript(topics: ["t": 2, "u": 3])
        transcript.join("a")
        var request = transcript.request("a")
        request.topicNames = ["u"]
        transcript.send(request)
        // It still owns what it had, so it is asked to give that up first.
        #expect(transcript.answer?.assignment?.isEmpty == true)
        transcript.members["a"]?.owned = MemberAssignment()
        transcript.settle()
        #expect(transcript.owned("a", "t") == [])
        #expect(transcript.owned("a", "u") == [0, 1, 2])
    }

    @Test func theAssignorMostMembersAskForIsTaken() {
        var transcript = ConsumerTranscript()
        transcript.join("a", assignor: "range")
        #expect(transcript.group.assignor == .range)
        transcript.join("b", assignor: "uniform")
        transcript.join("c", assignor: "uniform")
        #expect(transcript.group.assignor == .uniform)
    }
}

@Suite struct ConsumerRecords {
    @Test func theGroupIsTheSameAfterARestart() throws {
        var transcript = ConsumerTranscript(topics: ["t": 4, "logs.a": 3])
        transcript.join("a")
        transcript.join("b", topics: ["t"], pattern: "logs.*", instance: "i", assignor: "range")
        transcript.settle()
        transcript.join("c")
        transcript.beat("a")
        let before = transcript.group
        try transcript.restart()
        let after = transcript.group
        #expect(after.epoch == before.epoch && after.targetEpoch == before.targetEpoch)
        #expect(after.metadataHash == before.metadataHash && after.matches == before.matches)
        #expect(after.targets == before.targets && after.holders == before.holders)
        #expect(after.memberIDOfInstance == before.memberIDOfInstance)
        #expect(after.members.mapValues(\.currentValue) == before.members.mapValues(\.currentValue))
        #expect(after.members.mapValues(\.metadataValue) == before.members.mapValues(\.metadataValue))
        // Nothing has changed, so nothing begins anew.
        transcript.settle()
        #expect(transcript.group.epoch == before.epoch)
        #expect(transcript.group.stateName == "Stable")
        #expect(transcript.count("a") + transcript.count("b") + transcript.count("c") == 7)
    }

    @Test func whatAMemberMustGiveUpIsNotForgottenByARestart() throws {
        var transcript = ConsumerTranscript()
        transcript.join("a")
        transcript.join("b")
        transcript.send(transcript.request("a"))
        let kept = transcript.answer?.assignment ?? MemberAssignment()
        try transcript.restart()
        transcript.beat("b")
        #expect(transcript.count("b") == 0)
        transcript.members["a"]?.owned = kept
        transcript.settle()
        #expect(transcript.count("a") == 2 && transcript.count("b") == 2)
    }

    @Test func aDeletedGroupLeavesNothing() throws {
        var transcript = ConsumerTranscript(topics: ["logs.a": 1])
        transcript.join("a", topics: nil, pattern: "logs.*")
        #expect(throws: ConsumerGroupRefusal.self) { try transcript.group.deletionRequested().get() }
        transcript.leave("a")
        var latest: [String: GroupRecord] = [:]
        for record in transcript.log + (try transcript.group.deletionRequested().get()) {
            latest["\(try record.encoded().key)"] = record
        }
        for record in latest.values { #expect(try record.encoded().value == nil, "\(record)") }
        transcript.join("b")
        #expect(transcript.refusal == .coordinatorNotAvailable)
    }
}
