import KafkaConnection
import KafkaWire

/// AlterPartitionReassignments (45), versions 0–1: a partition may be assigned to this broker, where it is already, and to no other. There is never a
/// reassignment under way that could be cancelled.
struct AlterPartitionReassignmentsHandler: ImmediateApiHandler {
    typealias Request = AlterPartitionReassignmentsRequest
    static let versions: ClosedRange<Int16> = 0...1

    let services: BrokerServices

    func answer(_ call: Call<AlterPartitionReassignmentsRequest>) -> AlterPartitionReassignmentsResponse {
        var response = AlterPartitionReassignmentsResponse()
        response.allowReplicationFactorChange = call.request.allowReplicationFactorChange
        response.errorMessage = nil
        response.responses = call.request.topics.map { topic in
            var answered = AlterPartitionReassignmentsResponse.ReassignableTopicResponse()
            answered.name = topic.name
            answered.partitions = topic.partitions.map { partition in
                var answered = AlterPartitionReassignmentsResponse.ReassignablePartitionResponse()
                answered.partitionIndex = partition.partitionIndex
                answered.errorMessage = nil
                if let error = fault(topic.name, partition) {
                    answered.errorCode = error.code
                    answered.errorMessage = error.message
                }
                return answered
            }
            return answered
        }
        return response
    }

    private func fault(
        _ topic: String, _ asked: AlterPartitionReassignmentsRequest.ReassignablePartition
    ) -> TopicError? {
        if case .failure(let error) = services.partition(topic, asked.partitionIndex), error.code != .kafkaStorageError
        {
            return error
        }
        guard let replicas = asked.replicas else {
            return TopicError(
                .noReassignmentInProgress, "no reassignment of \(topic)-\(asked.partitionIndex) is under way")
        }
        guard replicas == [services.brokerID.rawValue] else {
            return TopicError(
                .invalidReplicaAssignment, "this cluster has broker \(services.brokerID) and no other to assign to")
        }
        return nil
    }
}

/// ListPartitionReassignments (46), version 0: none is ever under way.
struct ListPartitionReassignmentsHandler: ImmediateApiHandler {
    typealias Request = ListPartitionReassignmentsRequest
    static let versions: ClosedRange<Int16> = 0...0

    func answer(_ call: Call<ListPartitionReassignmentsRequest>) -> ListPartitionReassignmentsResponse {
        var response = ListPartitionReassignmentsResponse()
        response.errorMessage = nil
        return response
    }
}
