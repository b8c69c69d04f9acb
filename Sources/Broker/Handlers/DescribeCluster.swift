import KafkaConnection
import KafkaWire

/// DescribeCluster (60), versions 0–2: the cluster's id and its brokers, of which there is one.
struct DescribeClusterHandler: ImmediateApiHandler {
    typealias Request = DescribeClusterRequest
    static let versions: ClosedRange<Int16> = 0...2

    let services: BrokerServices

    func answer(_ call: Call<DescribeClusterRequest>) -> DescribeClusterResponse {
        var response = DescribeClusterResponse()
        response.clusterId = services.clusterID
        response.endpointType = call.request.endpointType
        guard call.request.endpointType == 1 else {
            response.errorCode = call.request.endpointType == 2 ? .mismatchedEndpointType : .unsupportedEndpointType
            response.errorMessage = "this is a broker's endpoint (type 1)"
            return response
        }
        response.controllerId = services.brokerID.rawValue
        var broker = DescribeClusterResponse.DescribeClusterBroker()
        broker.brokerId = services.brokerID.rawValue
        broker.host = call.advertised.host
        broker.port = Int32(call.advertised.port)
        response.brokers = [broker]
        if call.request.includeClusterAuthorizedOperations {
            response.clusterAuthorizedOperations = AuthorizedOperations.cluster
        }
        return response
    }
}
