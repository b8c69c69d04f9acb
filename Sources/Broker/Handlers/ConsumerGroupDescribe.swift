import Base
import GroupCoordination
import KafkaWire

/// ConsumerGroupDescribe (69), versions 0–1: state, epochs and members of consumer groups (KIP-848), each with what it owns and what it is meant to own.
///
/// A group of the classic protocol is GROUP_ID_NOT_FOUND: clients then ask with DescribeGroups.
struct ConsumerGroupDescribeHandler: ImmediateApiHandler {
    typealias Request = ConsumerGroupDescribeRequest
    static let versions: ClosedRange<Int16> = 0...1

    let services: BrokerServices

    func answer(_ call: Call<ConsumerGroupDescribeRequest>) -> ConsumerGroupDescribeResponse {
        var response = ConsumerGroupDescribeResponse()
        response.groups = call.request.groupIds.map { id in
            var entry = ConsumerGroupDescribeResponse.DescribedGroup()
            entry.groupId = id
            let (error, group) = services.groups.describeConsumerGroup(id)
            guard error == .none, let group else {
                entry.errorCode = error == .none ? .groupIdNotFound : error
                entry.errorMessage = error == .none ? "there is no consumer group '\(id)'" : nil
                return entry
            }
            entry.groupState = group.stateName
            entry.groupEpoch = group.epoch
            entry.assignmentEpoch = group.targetEpoch
            entry.assignorName = group.assignor.rawValue
            entry.members = group.members.values.sorted { $0.id < $1.id }.map { member in
                var described = ConsumerGroupDescribeResponse.Member()
                described.memberId = member.id
                described.instanceId = member.instanceID
                described.rackId = member.rackID
                described.memberEpoch = member.epoch
                described.clientId = member.clientID
                described.clientHost = member.clientHost
                described.subscribedTopicNames = member.topicNames.sorted()
                described.subscribedTopicRegex = member.topicPattern
                described.assignment = assignment(member.assigned)
                described.targetAssignment = assignment(group.targets[member.id] ?? MemberAssignment())
                if call.version >= 1 { described.memberType = member.classic == nil ? 1 : 0 }
                return described
            }
            return entry
        }
        return response
    }

    private func assignment(_ partitions: MemberAssignment) -> ConsumerGroupDescribeResponse.Assignment {
        var assignment = ConsumerGroupDescribeResponse.Assignment()
        assignment.topicPartitions = partitions.sorted.map { id, partitions in
            .init(topicId: id, topicName: services.topics.topic(id: id)?.name ?? "", partitions: partitions)
        }
        return assignment
    }
}
