import Base
import KafkaConnection
import KafkaWire

/// CreatePartitions (37), versions 0–3: lets topics grow to a number of partitions, each on its own. Records stay where they are, so keys may
/// from then on go elsewhere.
struct CreatePartitionsHandler: DeferredApiHandler {
    typealias Request = CreatePartitionsRequest
    static let versions: ClosedRange<Int16> = 0...3

    let services: BrokerServices

    func answer(_ call: Call<CreatePartitionsRequest>) async -> CreatePartitionsResponse {
        var response = CreatePartitionsResponse()
        for asked in call.request.topics {
            var result = CreatePartitionsResponse.CreatePartitionsTopicResult()
            result.name = asked.name
            do throws(TopicError) {
                let topic = try services.topics.checkGrowth(of: asked.name, to: asked.count)
                try checkAssignments(asked, added: Int(asked.count) - topic.partitions.count)
                if !call.request.validateOnly {
                    try await services.topics.addPartitions(to: asked.name, newCount: asked.count)
                }
            } catch {
                result.errorCode = error.code
                result.errorMessage = error.message
            }
            response.results.append(result)
        }
        return response
    }

    private func checkAssignments(
        _ asked: CreatePartitionsRequest.CreatePartitionsTopic, added: Int
    ) throws(TopicError) {
        guard let assignments = asked.assignments else { return }
        guard assignments.count == added, assignments.allSatisfy({ $0.brokerIds == [services.brokerID.rawValue] })
        else {
            throw TopicError(
                .invalidReplicaAssignment,
                "an assignment names broker \(services.brokerID), and no other, for each of the \(added) new partitions"
            )
        }
    }
}
