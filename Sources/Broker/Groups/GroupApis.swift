/// The APIs of consumer groups, served by the pure machines of `GroupCoordination`. What runs the machines is `GroupCoordinator`; where they are
/// kept is `OffsetsTopic`.
enum GroupApis {
    /// Adds the handlers to the table.
    static func add(to table: inout ApiTable, services: BrokerServices) {
        let coordinator = services.groups
        table.add(JoinGroupHandler(coordinator: coordinator))
        table.add(SyncGroupHandler(coordinator: coordinator))
        table.add(HeartbeatHandler(coordinator: coordinator))
        table.add(LeaveGroupHandler(coordinator: coordinator))
        table.add(OffsetCommitHandler(coordinator: coordinator, services: services))
        table.add(OffsetFetchHandler(coordinator: coordinator))
        table.add(ListGroupsHandler(coordinator: coordinator))
        table.add(DescribeGroupsHandler(coordinator: coordinator))
        table.add(DeleteGroupsHandler(coordinator: coordinator))
        table.add(OffsetDeleteHandler(coordinator: coordinator))
        table.add(ConsumerGroupHeartbeatHandler(coordinator: coordinator))
        table.add(ConsumerGroupDescribeHandler(services: services))
    }
}
