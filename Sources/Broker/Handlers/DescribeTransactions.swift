import Base
import GroupCoordination
import KafkaWire

/// DescribeTransactions (65), version 0: where transactional ids stand, and the partitions of what is open (KIP-664).
struct DescribeTransactionsHandler: ImmediateApiHandler {
    typealias Request = DescribeTransactionsRequest
    static let versions: ClosedRange<Int16> = 0...0

    let services: BrokerServices

    func answer(_ call: Call<DescribeTransactionsRequest>) -> DescribeTransactionsResponse {
        var response = DescribeTransactionsResponse()
        response.transactionStates = call.request.transactionalIds.map { id in
            var state = DescribeTransactionsResponse.TransactionState()
            state.transactionalId = id
            let (error, entry) = services.transactions.describe(id)
            state.errorCode = error
            guard let entry else { return state }
            state.transactionState = entry.status.name
            state.transactionTimeoutMs = Int32(clamping: entry.timeout.milliseconds)
            state.transactionStartTimeMs = entry.startedAt.milliseconds
            state.producerId = entry.producerID.rawValue
            state.producerEpoch = entry.epoch.rawValue
            state.topics = Dictionary(grouping: entry.partitions, by: \.topic).sorted { $0.key < $1.key }.map {
                var topic = DescribeTransactionsResponse.TopicData()
                topic.topic = $0
                topic.partitions = $1.map(\.partition).sorted()
                return topic
            }
            return state
        }
        return response
    }
}
