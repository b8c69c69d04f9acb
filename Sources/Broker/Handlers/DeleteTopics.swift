import Base
import KafkaConnection
import KafkaWire

/// DeleteTopics (20), versions 1–6: removes topics by name, from v6 on also by id, each on its own.
///
/// Answered once the topic stays gone, whatever happens. Consumers that hold its files read on until they let go; a new topic of the same
/// name has another id.
struct DeleteTopicsHandler: DeferredApiHandler {
    typealias Request = DeleteTopicsRequest
    static let versions: ClosedRange<Int16> = 1...6

    let services: BrokerServices

    func answer(_ call: Call<DeleteTopicsRequest>) async -> DeleteTopicsResponse {
        var response = DeleteTopicsResponse()
        var asked: [(name: String?, id: TopicID)] = call.request.topics.map { ($0.name, $0.topicId) }
        asked += call.request.topicNames.map { ($0, .zero) }
        for (name, id) in asked {
            var result = DeleteTopicsResponse.DeletableTopicResult()
            result.name = name
            result.topicId = id
            do throws(TopicError) {
                let topic = try find(name: name, id: id)
                result.name = topic.name
                result.topicId = topic.id
                try await services.topics.delete(topic.id)
                services.groups.topicDeleted(topic.name)
            } catch {
                result.errorCode = error.code
                result.errorMessage = error.message
            }
            response.responses.append(result)
        }
        return response
    }

    private func find(name: String?, id: TopicID) throws(TopicError) -> Topic {
        guard let name else {
            guard let topic = services.topics.topic(id: id) else {
                throw TopicError(.unknownTopicId, "no topic has the id \(id)")
            }
            return topic
        }
        guard id == .zero else {
            throw TopicError(.invalidRequest, "name a topic by its name or by its id, not by both")
        }
        guard let topic = services.topics.topic(named: name) else {
            throw TopicError(.unknownTopicOrPartition, "there is no topic '\(name)'")
        }
        guard !topic.isInternal else {
            throw TopicError(.invalidTopicException, "\(name) is the broker's own and can't be deleted")
        }
        return topic
    }
}
