import Base
import KafkaConnection
import KafkaWire
import NIOCore

@testable import KafkaClient

extension FakeBroker {
    func answerGroup(_ request: ReceivedRequest, injected: ErrorCode?) throws {
        switch request.apiKey {
        case .findCoordinator:
            let asked = try request.decode(FindCoordinatorRequest.self)
            let address = address
            var response = FindCoordinatorResponse()
            response.coordinators = asked.coordinatorKeys.map { key in
                var coordinator = FindCoordinatorResponse.Coordinator()
                coordinator.key = key
                coordinator.nodeId = 1
                coordinator.host = address.host
                coordinator.port = Int32(address.port)
                coordinator.errorCode = injected ?? .none
                return coordinator
            }
            request.respond(response)
        case .joinGroup: try join(request, injected)
        case .syncGroup: try sync(request, injected)
        case .heartbeat:
            let asked = try request.decode(HeartbeatRequest.self)
            var response = HeartbeatResponse()
            response.errorCode = injected ?? check(asked.groupId, asked.memberId, asked.generationId, isHeartbeat: true)
            request.respond(response)
        case .leaveGroup: try leave(request)
        case .offsetCommit: try commit(request, injected)
        case .offsetFetch: try fetchOffsets(request)
        default: request.close(.refused("\(request.apiKey) is beyond the fake broker"))
        }
    }

    private func check(_ group: String, _ member: String, _ generation: Int32, isHeartbeat: Bool) -> ErrorCode {
        state.withLock { state in
            guard let group = state.groups[group], group.members.contains(member) else { return .unknownMemberId }
            if group.generation != generation { return .illegalGeneration }
            return group.isRebalancing && isHeartbeat ? .rebalanceInProgress : .none
        }
    }

    private func join(_ request: ReceivedRequest, _ injected: ErrorCode?) throws {
        let asked = try request.decode(JoinGroupRequest.self)
        var refusal = JoinGroupResponse()
        refusal.errorCode = injected ?? .none
        if injected != nil { return request.respond(refusal) }
        if asked.memberId.isEmpty {
            refusal.errorCode = .memberIdRequired
            refusal.memberId = state.withLock { state in
                state.groups[asked.groupId, default: FakeGroup()].names += 1
                return "member-\(state.groups[asked.groupId]!.names)"
            }
            return request.respond(refusal)
        }
        let finished = state.withLock { state in
            var group = state.groups[asked.groupId] ?? FakeGroup()
            if !group.members.contains(asked.memberId) { group.members.append(asked.memberId) }
            group.isRebalancing = true
            group.joining[asked.memberId] = (request, asked.protocols[0].metadata)
            let finished = group.finishJoin()
            state.groups[asked.groupId] = group
            return finished
        }
        for (request, response) in finished { request.respond(response) }
    }

    private func sync(_ request: ReceivedRequest, _ injected: ErrorCode?) throws {
        let asked = try request.decode(SyncGroupRequest.self)
        let error = injected ?? check(asked.groupId, asked.memberId, asked.generationId, isHeartbeat: true)
        if error != .none {
            var refusal = SyncGroupResponse()
            refusal.errorCode = error
            return request.respond(refusal)
        }
        let finished = state.withLock { state -> [(ReceivedRequest, SyncGroupResponse)] in
            var group = state.groups[asked.groupId]!
            group.syncing[asked.memberId] = request
            if group.members.first == asked.memberId {
                group.plan = Dictionary(uniqueKeysWithValues: asked.assignments.map { ($0.memberId, $0.assignment) })
            }
            defer { state.groups[asked.groupId] = group }
            guard let plan = group.plan else { return [] }
            defer { group.syncing = [:] }
            return group.syncing.map { member, request in
                var response = SyncGroupResponse()
                response.assignment = plan[member] ?? ByteBuffer()
                return (request, response)
            }
        }
        for (request, response) in finished { request.respond(response) }
    }

    private func leave(_ request: ReceivedRequest) throws {
        let asked = try request.decode(LeaveGroupRequest.self)
        let finished = state.withLock { state in
            var group = state.groups[asked.groupId] ?? FakeGroup()
            group.members.removeAll { member in
                asked.memberId == member || asked.members.contains { $0.memberId == member }
            }
            group.isRebalancing = !group.members.isEmpty
            let finished = group.finishJoin()
            state.groups[asked.groupId] = group
            return finished
        }
        request.respond(LeaveGroupResponse())
        for (request, response) in finished { request.respond(response) }
    }

    private func commit(_ request: ReceivedRequest, _ injected: ErrorCode?) throws {
        let asked = try request.decode(OffsetCommitRequest.self)
        let error =
            injected ?? check(asked.groupId, asked.memberId, asked.generationIdOrMemberEpoch, isHeartbeat: false)
        var response = OffsetCommitResponse()
        state.withLock { state in
            for topic in asked.topics {
                var wire = OffsetCommitResponse.OffsetCommitResponseTopic()
                wire.name = topic.name
                for entry in topic.partitions {
                    var answer = OffsetCommitResponse.OffsetCommitResponsePartition()
                    answer.partitionIndex = entry.partitionIndex
                    answer.errorCode = error
                    if error == .none {
                        let partition = TopicPartition(topic: topic.name, partition: entry.partitionIndex)
                        state.committed[asked.groupId, default: [:]][partition] = CommittedOffset(
                            Offset(entry.committedOffset), leaderEpoch: LeaderEpoch(entry.committedLeaderEpoch),
                            metadata: entry.committedMetadata)
                    }
                    wire.partitions.append(answer)
                }
                response.topics.append(wire)
            }
        }
        request.respond(response)
    }

    private func fetchOffsets(_ request: ReceivedRequest) throws {
        let asked = try request.decode(OffsetFetchRequest.self)
        var response = OffsetFetchResponse()
        for ask in asked.groups {
            let committed = state.withLock { $0.committed[ask.groupId] ?? [:] }
            var group = OffsetFetchResponse.OffsetFetchResponseGroup()
            group.groupId = ask.groupId
            for topic in ask.topics ?? [] {
                var wire = OffsetFetchResponse.OffsetFetchResponseTopics()
                wire.name = topic.name
                wire.partitions = topic.partitionIndexes.map { index in
                    let known = committed[TopicPartition(topic: topic.name, partition: index)]
                    var answer = OffsetFetchResponse.OffsetFetchResponsePartitions()
                    answer.partitionIndex = index
                    answer.committedOffset = known?.offset.rawValue ?? -1
                    answer.metadata = known?.metadata ?? ""
                    return answer
                }
                group.topics.append(wire)
            }
            response.groups.append(group)
        }
        request.respond(response)
    }
}

extension FakeGroup {
    /// The answers to all joins, once every member has joined.
    mutating func finishJoin() -> [(ReceivedRequest, JoinGroupResponse)] {
        guard !members.isEmpty, members.allSatisfy({ joining[$0] != nil }) else { return [] }
        generation += 1
        isRebalancing = false
        plan = nil
        syncing = [:]
        let joined = joining
        joining = [:]
        return members.map { member in
            var response = JoinGroupResponse()
            response.generationId = generation
            response.protocolType = "consumer"
            response.protocolName = "range"
            response.leader = members[0]
            response.memberId = member
            if member == members[0] {
                response.members = members.map { other in
                    var wire = JoinGroupResponse.JoinGroupResponseMember()
                    wire.memberId = other
                    wire.metadata = joined[other]!.metadata
                    return wire
                }
            }
            return (joined[member]!.request, response)
        }
    }
}
