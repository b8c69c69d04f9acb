import KafkaWire

/// The API versions that a broker serves, as it said when the connection was opened (KIP-35).
public struct NegotiatedVersions: Sendable {
    private var ranges: [Int16: ClosedRange<Int16>] = [:]

    public init(_ response: ApiVersionsResponse) {
        for api in response.apiKeys where api.minVersion <= api.maxVersion {
            ranges[api.apiKey] = api.minVersion...api.maxVersion
        }
    }

    /// What the broker serves of an API; nil where it lacks it.
    public func served(_ apiKey: ApiKey) -> ClosedRange<Int16>? { ranges[apiKey.rawValue] }

    /// The latest version that both sides know and that Kafka 4.1 calls stable, at most `versionMax`.
    public func version<Request: WireRequest>(
        of _: Request.Type, versionMax: Int16? = nil
    ) throws(ClientError) -> Int16 {
        let apiKey = Request.apiKey
        guard let served = served(apiKey) else {
            throw ClientError(.unsupportedVersion, "the broker does not serve \(apiKey)")
        }
        let stable = ApiVersionTable.versions(of: apiKey)
        let lowest = max(Request.versions.lowerBound, served.lowerBound)
        let highest = min(
            Request.versions.upperBound, stable.upperBound, served.upperBound, versionMax ?? .max)
        guard lowest <= highest else {
            let asked = versionMax.map { ", at most \($0) asked for" } ?? ""
            throw ClientError(
                .unsupportedVersion,
                "no common version of \(apiKey): the broker serves \(served.lowerBound) to \(served.upperBound), "
                    + "this client \(Request.versions.lowerBound) to \(Request.versions.upperBound)\(asked)")
        }
        return highest
    }
}
