/// The APIs of transactions, served by the pure machine of `GroupCoordination`. What runs the machines is `TransactionCoordinator`; where they are
/// kept is `TransactionsTopic`.
enum TransactionApis {
    /// Adds the handlers to the table.
    static func add(to table: inout ApiTable, services: BrokerServices) {
        table.add(AddPartitionsToTxnHandler(services: services))
        table.add(AddOffsetsToTxnHandler(services: services))
        table.add(EndTxnHandler(services: services))
        table.add(WriteTxnMarkersHandler(services: services))
        table.add(TxnOffsetCommitHandler(services: services))
        table.add(DescribeTransactionsHandler(services: services))
        table.add(ListTransactionsHandler(services: services))
    }
}
