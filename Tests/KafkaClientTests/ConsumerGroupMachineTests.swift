import Base
import KafkaWire
import Testing

@testable import KafkaClient

/// Transcripts: what happened, and what the machine wants done then.
@Suite struct ConsumerGroupMachineTests {
    typealias Action = ConsumerGroupMachine.Action

    private let p0 = TopicPartition(topic: "t", partition: 0)
    private let p1 = TopicPartition(topic: "t", partition: 1)
    private let g1 = GroupGeneration(id: 1, memberID: "m")
    private let g2 = GroupGeneration(id: 2, memberID: "m")

    private func machine() -> ConsumerGroupMachine {
        ConsumerGroupMachine(
            settings: ConsumerGroupMachine.Settings(
                topics: ["t"], sessionTimeout: .seconds(30), heartbeatInterval: .seconds(3),
                partitionCheckInterval: .seconds(60),
                backoff: Backoff(first: .milliseconds(100), max: .seconds(1))))
    }

    private func at(_ seconds: Double) -> Instant { .zero + .milliseconds(Int64(seconds * 1000)) }

    private func answer(_ generation: Int32, leader: String = "other") -> ConsumerGroupMachine.JoinAnswer {
        let members =
            leader == "m"
            ? [RangeAssignor.Member(memberID: "m", topics: ["t"]), RangeAssignor.Member(memberID: "n", topics: ["t"])]
            : []
        return ConsumerGroupMachine.JoinAnswer(
            generation: generation, memberID: "m", leaderID: leader, protocolName: "range", members: members)
    }

    /// A member that holds both partitions in generation 1, at second 0.
    private func stable(leader: String = "other") -> ConsumerGroupMachine {
        var machine = machine()
        _ = machine.tick(now: .zero)
        _ = machine.coordinatorFound(now: .zero)
        _ = machine.joinAnswered(answer(1, leader: leader), now: .zero)
        if leader == "m" { _ = machine.partitionsCounted(["t": 2], now: .zero) }
        _ = machine.syncAnswered([p1, p0], now: .zero)
        _ = machine.assignDone(now: .zero)
        return machine
    }

    @Test func aMemberJoins() {
        var machine = machine()
        #expect(machine.wakeAt == .zero)
        #expect(machine.tick(now: .zero) == [.findCoordinator])
        #expect(machine.coordinatorFound(now: .zero) == [.join(memberID: "")])
        #expect(machine.joinRefused(.memberIdRequired, memberID: "m", now: .zero) == [.join(memberID: "m")])
        #expect(machine.generation == nil)
        #expect(machine.joinAnswered(answer(1), now: .zero) == [.sync(g1, plan: [:])])
        #expect(machine.syncAnswered([p1, p0], now: .zero) == [.assign([p0, p1], g1)])
        #expect(machine.generation == g1)
        #expect(machine.assignDone(now: .zero) == [])
        #expect(machine.wakeAt == at(3))
        #expect(machine.tick(now: at(2.9)) == [])
        #expect(machine.tick(now: at(3)) == [.heartbeat(g1)])
        #expect(machine.tick(now: at(7)) == [])
        #expect(machine.heartbeatAnswered(ErrorCode.none, of: g1, now: at(7)) == [])
        #expect(machine.tick(now: at(7)) == [.heartbeat(g1)])
    }

    @Test func theLeaderPlansAndWatches() {
        var machine = machine()
        _ = machine.tick(now: .zero)
        _ = machine.coordinatorFound(now: .zero)
        #expect(machine.joinAnswered(answer(1, leader: "m"), now: .zero) == [.countPartitions(topics: ["t"])])
        #expect(machine.partitionsCounted(["t": 2], now: .zero) == [.sync(g1, plan: ["m": [p0], "n": [p1]])])
        _ = machine.syncAnswered([p0], now: .zero)
        _ = machine.assignDone(now: .zero)
        _ = machine.tick(now: at(3))
        for second in stride(from: 3.0, to: 57, by: 3) {
            _ = machine.heartbeatAnswered(ErrorCode.none, of: g1, now: at(second))
            _ = machine.tick(now: at(second + 3))
        }
        #expect(machine.heartbeatAnswered(ErrorCode.none, of: g1, now: at(57)) == [])
        #expect(machine.tick(now: at(60.5)) == [.heartbeat(g1), .countPartitions(topics: ["t"])])
        #expect(machine.partitionsCounted(["t": 2], now: at(61)) == [])
        _ = machine.heartbeatAnswered(ErrorCode.none, of: g1, now: at(61))
        _ = machine.tick(now: at(80))
        _ = machine.heartbeatAnswered(ErrorCode.none, of: g1, now: at(80))
        _ = machine.tick(now: at(100))
        _ = machine.heartbeatAnswered(ErrorCode.none, of: g1, now: at(100))
        #expect(machine.tick(now: at(121)) == [.heartbeat(g1), .countPartitions(topics: ["t"])])
        // The topic has grown: everybody has to join again.
        #expect(machine.partitionsCounted(["t": 3], now: at(121)) == [.revoke([p0], g1)])
        #expect(machine.released(now: at(121)) == [.join(memberID: "m")])
    }

    @Test func aRebalanceRevokesBeforeItJoins() {
        var machine = stable()
        _ = machine.tick(now: at(3))
        #expect(machine.heartbeatAnswered(.rebalanceInProgress, of: g1, now: at(3)) == [.revoke([p0, p1], g1)])
        // While the handler commits, the membership stands and is kept alive.
        #expect(machine.generation == g1)
        #expect(machine.tick(now: at(6)) == [.heartbeat(g1)])
        #expect(machine.heartbeatAnswered(.rebalanceInProgress, of: g1, now: at(6)) == [])
        #expect(machine.released(now: at(7)) == [.join(memberID: "m")])
        #expect(machine.generation == nil)
        #expect(machine.joinAnswered(answer(2), now: at(8)) == [.sync(g2, plan: [:])])
        #expect(machine.syncRefused(.rebalanceInProgress, now: at(8)) == [.join(memberID: "m")])
        #expect(machine.joinAnswered(answer(2), now: at(9)) == [.sync(g2, plan: [:])])
        #expect(machine.syncAnswered([], now: at(9)) == [.assign([], g2)])
        // What comes late of the old generation means nothing.
        #expect(machine.heartbeatAnswered(.unknownMemberId, of: g1, now: at(9)) == [])
    }

    @Test func aRebalanceDuringAssignWaitsForIt() {
        var machine = stable()
        _ = machine.heartbeatAnswered(.rebalanceInProgress, of: g1, now: at(3))
        _ = machine.released(now: at(3))
        _ = machine.joinAnswered(answer(2), now: at(3))
        #expect(machine.syncAnswered([p0], now: at(3)) == [.assign([p0], g2)])
        #expect(machine.tick(now: at(6)) == [.heartbeat(g2)])
        #expect(machine.heartbeatAnswered(.rebalanceInProgress, of: g2, now: at(6)) == [])
        #expect(machine.assignDone(now: at(8)) == [.revoke([p0], g2)])
    }

    @Test(arguments: [ErrorCode.unknownMemberId, .illegalGeneration])
    func aFencedMemberLoses(error: ErrorCode) {
        var machine = stable()
        #expect(machine.heartbeatAnswered(error, of: g1, now: at(3)) == [.lose([p0, p1], g1)])
        #expect(machine.generation == nil)
        #expect(machine.tick(now: at(20)) == [])
        #expect(machine.released(now: at(20)) == [.join(memberID: error == .unknownMemberId ? "" : "m")])
    }

    @Test func aFenceDuringRevokeForbidsCommits() {
        var machine = stable()
        _ = machine.heartbeatAnswered(.rebalanceInProgress, of: g1, now: at(3))
        #expect(machine.generation == g1)
        #expect(machine.heartbeatAnswered(.unknownMemberId, of: g1, now: at(4)) == [])
        #expect(machine.generation == nil)
        #expect(machine.wakeAt == .distantFuture)
        #expect(machine.released(now: at(5)) == [.join(memberID: "")])
    }

    /// Without an answer for the session timeout the partitions are others' by now, whoever is to blame.
    @Test func silenceForTheSessionTimeoutLoses() {
        var machine = stable()
        #expect(machine.tick(now: at(3)) == [.heartbeat(g1)])
        #expect(machine.heartbeatAnswered(nil, of: g1, now: at(13)) == [])
        #expect(machine.tick(now: at(14)) == [.findCoordinator])
        #expect(machine.coordinatorLost(nil, now: at(24)) == [])
        #expect(machine.tick(now: at(25)) == [.findCoordinator])
        #expect(machine.tick(now: at(29.9)) == [])
        #expect(machine.tick(now: at(30)) == [.lose([p0, p1], g1)])
        #expect(machine.released(now: at(30)) == [.findCoordinator])
        #expect(machine.coordinatorFound(now: at(31)) == [.join(memberID: "")])
    }

    @Test func aMovedCoordinatorCostsNothing() {
        var machine = stable()
        _ = machine.tick(now: at(3))
        #expect(machine.heartbeatAnswered(.notCoordinator, of: g1, now: at(3)) == [])
        #expect(machine.generation == g1)
        #expect(machine.tick(now: at(4)) == [.findCoordinator])
        #expect(machine.coordinatorFound(now: at(4)) == [])
        #expect(machine.tick(now: at(4)) == [.heartbeat(g1)])
        #expect(machine.heartbeatAnswered(ErrorCode.none, of: g1, now: at(4)) == [])
        #expect(machine.generation == g1)
    }

    @Test func aLostJoinIsTriedAgainLater() {
        var machine = machine()
        _ = machine.tick(now: .zero)
        _ = machine.coordinatorFound(now: .zero)
        #expect(machine.joinRefused(.coordinatorLoadInProgress, memberID: "", now: .zero) == [])
        #expect(machine.wakeAt > .zero && machine.wakeAt < at(1))
        #expect(machine.tick(now: at(1)) == [.join(memberID: "")])
        #expect(machine.coordinatorLost(nil, now: at(1)) == [])
        #expect(machine.tick(now: at(2)) == [.findCoordinator])
        #expect(machine.coordinatorLost(.coordinatorNotAvailable, now: at(2)) == [])
        #expect(machine.tick(now: at(4)) == [.findCoordinator])
    }

    @Test func stoppingRevokesAndLeaves() {
        var machine = stable()
        #expect(machine.stopRequested(now: at(1)) == [.revoke([p0, p1], g1)])
        #expect(machine.stopRequested(now: at(1)) == [])
        #expect(machine.generation == g1)
        #expect(machine.released(now: at(2)) == [.leave(memberID: "m")])
        #expect(!machine.isStopped)
        #expect(machine.leaveAnswered() == [.stopped])
        #expect(machine.isStopped)
        #expect(machine.stopRequested(now: at(3)) == [])
    }

    @Test func stoppingWhileJoiningLeavesAtOnce() {
        var machine = stable()
        _ = machine.heartbeatAnswered(.rebalanceInProgress, of: g1, now: at(1))
        _ = machine.released(now: at(1))
        #expect(machine.stopRequested(now: at(2)) == [.leave(memberID: "m")])
        #expect(machine.joinAnswered(answer(2), now: at(3)) == [])
        #expect(machine.leaveAnswered() == [.stopped])
    }

    @Test func stoppingBeforeTheFirstAnswerWaitsForTheMemberID() {
        var machine = machine()
        _ = machine.tick(now: .zero)
        _ = machine.coordinatorFound(now: .zero)
        #expect(machine.stopRequested(now: .zero) == [])
        #expect(machine.joinAnswered(answer(1), now: at(1)) == [.leave(memberID: "m")])
        #expect(machine.coordinatorLost(nil, now: at(2)) == [.stopped])
    }

    @Test func stoppingBeforeACoordinatorIsKnownIsImmediate() {
        var machine = machine()
        _ = machine.tick(now: .zero)
        #expect(machine.stopRequested(now: .zero) == [.stopped])
    }

    @Test func aRefusalThatStaysEndsTheMembership() {
        var machine = machine()
        _ = machine.tick(now: .zero)
        _ = machine.coordinatorFound(now: .zero)
        let actions = machine.joinRefused(.groupAuthorizationFailed, memberID: "", now: .zero)
        guard case .fail(.groupAuthorizationFailed, _)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(machine.isStopped)
    }

    @Test func aFencedStaticMemberGivesUpItsPartitionsFirst() {
        var machine = stable()
        #expect(machine.heartbeatAnswered(.fencedInstanceId, of: g1, now: at(1)) == [.lose([p0, p1], g1)])
        guard case .fail(.fencedInstanceId, _)? = machine.released(now: at(2)).first else {
            Issue.record("no failure")
            return
        }
        #expect(machine.isStopped)
    }
}

@Suite struct RangeAssignorTests {
    private func member(_ id: String, _ topics: [String], instance: String? = nil) -> RangeAssignor.Member {
        RangeAssignor.Member(memberID: id, instanceID: instance, topics: topics)
    }

    @Test func neighboursStayTogether() {
        let plan = RangeAssignor.assign(
            [member("b", ["t"]), member("a", ["t", "u"]), member("c", ["t"])], partitionCounts: ["t": 7, "u": 2])
        func places(_ id: String, _ topic: String) -> [Int32] {
            plan[id, default: []].filter { $0.topic == topic }.map(\.partition)
        }
        #expect(places("a", "t") == [0, 1, 2] && places("b", "t") == [3, 4] && places("c", "t") == [5, 6])
        #expect(places("a", "u") == [0, 1])
    }

    @Test func staticMembersComeFirst() {
        let plan = RangeAssignor.assign(
            [member("a", ["t"]), member("z", ["t"], instance: "one")], partitionCounts: ["t": 1])
        #expect(plan["z"]?.count == 1 && plan["a"] == [])
    }

    @Test func noPartitionIsLeftOutOrGivenTwice() {
        for count in 0...20 {
            for members in 1...6 {
                let plan = RangeAssignor.assign(
                    (0..<members).map { member("m\($0)", ["t"]) }, partitionCounts: ["t": count])
                #expect(plan.values.flatMap { $0 }.map(\.partition).sorted() == (0..<count).map { Int32($0) })
            }
        }
    }
}
