import KafkaConnection
import KafkaWire
import Synchronization

/// ApiVersions (18), versions 0–4: which APIs this broker serves, and in which versions.
///
/// Only what is really served is listed, but for Produce 0–2 (see `ApiTable.versions`). The response header is always v0, and a version from
/// the future is answered in v0 with UNSUPPORTED_VERSION; both are seen to by the connection.
struct ApiVersionsHandler: ImmediateApiHandler {
    typealias Request = ApiVersionsRequest
    static let versions: ClosedRange<Int16> = 0...4

    /// Known once every handler, this one too, is in the table.
    final class Advertised: Sendable {
        private let apiKeys = Mutex<[ApiVersionsResponse.ApiVersion]>([])

        var list: [ApiVersionsResponse.ApiVersion] { apiKeys.withLock { $0 } }

        func set(_ versions: ServedVersions) {
            let list = versions.advertised.map { range in
                var version = ApiVersionsResponse.ApiVersion()
                version.apiKey = range.apiKey.rawValue
                version.minVersion = range.versions.lowerBound
                version.maxVersion = range.versions.upperBound
                return version
            }
            apiKeys.withLock { $0 = list }
        }
    }

    let advertised: Advertised

    /// `transaction.version` 2: an end of a transaction raises the epoch, and Produce and TxnOffsetCommit add their partitions (KIP-890).
    /// `group.version` 1: consumer groups (KIP-848).
    private static let features: [(name: String, level: Int16)] = [("group.version", 1), ("transaction.version", 2)]

    func answer(_ call: Call<ApiVersionsRequest>) -> ApiVersionsResponse {
        var response = ApiVersionsResponse()
        guard Self.isName(call.request.clientSoftwareName, call.version),
            Self.isName(call.request.clientSoftwareVersion, call.version)
        else {
            response.errorCode = .invalidRequest
            return response
        }
        response.apiKeys = advertised.list
        guard call.version >= 3 else { return response }
        if call.version >= 4 {
            // Clients that know only v3 refuse features that begin at 0.
            response.supportedFeatures = Self.features.map { name, level in
                ApiVersionsResponse.SupportedFeatureKey(name: name, minVersion: 0, maxVersion: level)
            }
        }
        response.finalizedFeaturesEpoch = 0
        response.finalizedFeatures = Self.features.map { name, level in
            ApiVersionsResponse.FinalizedFeatureKey(name: name, maxVersionLevel: level, minVersionLevel: level)
        }
        return response
    }

    /// KIP-511: letters, digits, `.` and `-`, beginning and ending with a letter or digit.
    private static func isName(_ text: String, _ version: Int16) -> Bool {
        guard version >= 3 else { return true }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        }
        guard let first = text.utf8.first, let last = text.utf8.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return false
        }
        return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }
}
