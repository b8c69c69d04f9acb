import KafkaConnection
import KafkaWire

/// DescribeUserScramCredentials (50), version 0: which users there are, and with which mechanisms and iterations. Never a key.
///
/// - Null or an empty list asks for all.
/// - A user that is not known: RESOURCE_NOT_FOUND; one that is asked for twice: DUPLICATE_RESOURCE.
struct DescribeUserScramCredentialsHandler: ImmediateApiHandler {
    typealias Request = DescribeUserScramCredentialsRequest
    typealias Result = DescribeUserScramCredentialsResponse.DescribeUserScramCredentialsResult
    static let versions: ClosedRange<Int16> = 0...0

    let users: ScramUsers

    func answer(_ call: Call<DescribeUserScramCredentialsRequest>) -> DescribeUserScramCredentialsResponse {
        var response = DescribeUserScramCredentialsResponse()
        let known = users.all
        let asked = call.request.users?.map(\.name) ?? []
        var seen: [String: Int] = [:]
        for name in asked { seen[name, default: 0] += 1 }
        for name in (asked.isEmpty ? Array(known.keys) : Array(seen.keys)).sorted() {
            var result = Result()
            result.user = name
            if seen[name, default: 0] > 1 {
                result.errorCode = .duplicateResource
                result.errorMessage = "\(name) is asked for more than once"
            } else if let credentials = known[name] {
                result.credentialInfos = credentials.values.sorted { $0.mechanism.rawValue < $1.mechanism.rawValue }.map
                {
                    var info = DescribeUserScramCredentialsResponse.CredentialInfo()
                    info.mechanism = $0.mechanism.rawValue
                    info.iterations = Int32($0.iterations)
                    return info
                }
            } else {
                result.errorCode = .resourceNotFound
                result.errorMessage = "there is no user \(name)"
            }
            response.results.append(result)
        }
        return response
    }
}
