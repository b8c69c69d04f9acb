import Base
import Events
import Testing

@testable import RemoteStores

/// The examples of "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon S3 API Reference.
@Suite struct S3SignatureTests {
    private static let signature = S3Signature(
        credentials: .init(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1")
    private static let time = CivilTime(year: 2013, month: 5, day: 24).timestamp
    private static let host = HTTPHeader("Host", "examplebucket.s3.amazonaws.com")

    private func signed(
        _ method: String, _ path: String, _ query: String = "", _ headers: [HTTPHeader] = [], payload: String = ""
    ) throws -> (names: String, signature: String) {
        let added = Self.signature.headers(
            method, path: path, query: query, headers: [Self.host] + headers, payload: Array(payload.utf8),
            at: Self.time)
        let text = try #require(added.first { $0.name == "authorization" }?.value)
        #expect(
            text.hasPrefix(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="))
        let parts = text.split(separator: ",").map { String($0.split(separator: "=", maxSplits: 1)[1]) }
        return (parts[1], parts[2])
    }

    @Test func getObject() throws {
        let found = try signed("GET", "/test.txt", "", [HTTPHeader("Range", "bytes=0-9")])
        #expect(found.names == "host;range;x-amz-content-sha256;x-amz-date")
        #expect(found.signature == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func putObject() throws {
        let headers = [
            HTTPHeader("Date", "Fri, 24 May 2013 00:00:00 GMT"),
            HTTPHeader("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ]
        let path = "/" + S3Client.encoded("test$file.text", keepsSlashes: true)
        let found = try signed("PUT", path, "", headers, payload: "Welcome to Amazon S3.")
        #expect(found.names == "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class")
        #expect(found.signature == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func getBucketLifecycle() throws {
        let found = try signed("GET", "/", "lifecycle=")
        #expect(found.signature == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test func listObjects() throws {
        let found = try signed("GET", "/", "max-keys=2&prefix=J")
        #expect(found.signature == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test func aSessionTokenIsSigned() throws {
        var signature = Self.signature
        signature.credentials.sessionToken = "lent"
        let headers = signature.headers("GET", path: "/", query: "", headers: [Self.host], payload: [], at: Self.time)
        #expect(headers.contains(HTTPHeader("x-amz-security-token", "lent")))
        #expect(
            headers.first { $0.name == "authorization" }?.value.contains(
                "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,") == true)
    }

    @Test func keysAreEncodedAsTheSignatureWantsThem() {
        #expect(
            S3Client.encoded("dt=2026-11-22/hour=07/a b+é~.gz", keepsSlashes: true)
                == "dt%3D2026-11-22/hour%3D07/a%20b%2B%C3%A9~.gz")
        #expect(S3Client.encoded("a/b") == "a%2Fb")
    }

    @Test(
        arguments: [
            (nil, nil, "https", "logs.s3.eu-central-1.amazonaws.com", "/"),
            (nil, .path, "https", "s3.eu-central-1.amazonaws.com", "/logs/"),
            ("http://127.0.0.1:9000", nil, "http", "127.0.0.1:9000", "/logs/"),
            ("https://store.example:443", .virtual, "https", "logs.store.example", "/"),
        ] as [(String?, S3Settings.Style?, String, String, String)])
    func aBucketsAddress(endpoint: String?, style: S3Settings.Style?, scheme: String, host: String, path: String) {
        var settings = S3Settings(bucket: "logs", region: "eu-central-1")
        settings.endpoint = endpoint
        settings.style = style
        #expect(settings.address == (scheme, host, path))
    }
}
