import KafkaConnection
import KafkaWire

/// ElectLeaders (43), versions 0–2: with one broker every partition that is served has its leader already, preferred and clean, and one that is offline has
/// nobody else. Asked for all partitions, the answer names only those that an election would concern: the offline ones.
struct ElectLeadersHandler: ImmediateApiHandler {
    typealias Request = ElectLeadersRequest
    static let versions: ClosedRange<Int16> = 0...2

    private typealias Outcome = ElectLeadersResponse.PartitionResult

    let services: BrokerServices

    func answer(_ call: Call<ElectLeadersRequest>) -> ElectLeadersResponse {
        var response = ElectLeadersResponse()
        let wantsPreferred = call.request.electionType == 0
        guard wantsPreferred || call.request.electionType == 1 else {
            response.errorCode = .invalidRequest
            return response
        }
        if let asked = call.request.topicPartitions {
            response.replicaElectionResults = asked.map { topic in
                result(topic.topic, topic.partitions.map { outcome(topic.topic, $0, wantsPreferred) })
            }
        } else {
            response.replicaElectionResults = services.topics.topics.compactMap { topic in
                let outcomes = topic.partitions.indices.map { outcome(topic.name, Int32($0), wantsPreferred) }
                    .filter { $0.errorCode != .electionNotNeeded }
                return outcomes.isEmpty ? nil : result(topic.name, outcomes)
            }
        }
        return response
    }

    private func result(_ topic: String, _ outcomes: [Outcome]) -> ElectLeadersResponse.ReplicaElectionResult {
        var result = ElectLeadersResponse.ReplicaElectionResult()
        result.topic = topic
        result.partitionResult = outcomes
        return result
    }

    private func outcome(_ topic: String, _ partition: Int32, _ wantsPreferred: Bool) -> Outcome {
        var outcome = Outcome()
        outcome.partitionId = partition
        switch services.partition(topic, partition) {
        case .success:
            outcome.errorCode = .electionNotNeeded
            outcome.errorMessage = "this broker leads it"
        case .failure(let error) where error.code == .kafkaStorageError:
            outcome.errorCode = wantsPreferred ? .preferredLeaderNotAvailable : .eligibleLeadersNotAvailable
            outcome.errorMessage = error.message
        case .failure(let error):
            outcome.errorCode = error.code
            outcome.errorMessage = error.message
        }
        return outcome
    }
}
