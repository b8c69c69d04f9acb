import Base
import GroupCoordination
import KafkaWire

/// ListTransactions (66), versions 0–2: the transactional ids that this broker knows, by state, producer id, and (v1) how long their transaction is open.
///
/// The pattern of v2 is a regular expression of another engine than Kafka's, with its limits: one that it can't read is INVALID_REGULAR_EXPRESSION.
struct ListTransactionsHandler: ImmediateApiHandler {
    typealias Request = ListTransactionsRequest
    static let versions: ClosedRange<Int16> = 0...2

    let services: BrokerServices

    func answer(_ call: Call<ListTransactionsRequest>) -> ListTransactionsResponse {
        let request = call.request
        var response = ListTransactionsResponse()
        response.unknownStateFilters = request.stateFilters.filter { TransactionStatus(name: $0) == nil }
        var pattern: Regex<AnyRegexOutput>?
        if let text = request.transactionalIdPattern, !text.isEmpty {
            guard text.utf8.count <= 1024, let read = try? Regex(text) else {
                response.errorCode = .invalidRegularExpression
                return response
            }
            pattern = read
        }
        let (error, known) = services.transactions.list()
        response.errorCode = error
        let now = services.time.wallTime
        let states = Set(request.stateFilters.compactMap { TransactionStatus(name: $0) })
        let producers = Set(request.producerIdFilters)
        for (id, entry) in known.sorted(by: { $0.id < $1.id }) {
            if !request.stateFilters.isEmpty, !states.contains(entry.status) { continue }
            if !producers.isEmpty, !producers.contains(entry.producerID.rawValue) { continue }
            if request.durationFilter >= 0,
                entry.startedAt == .none || now - entry.startedAt <= .milliseconds(request.durationFilter)
            {
                continue
            }
            if let pattern, (try? pattern.wholeMatch(in: id)) == nil { continue }
            var state = ListTransactionsResponse.TransactionState()
            state.transactionalId = id
            state.producerId = entry.producerID.rawValue
            state.transactionState = entry.status.name
            response.transactionStates.append(state)
        }
        return response
    }
}
