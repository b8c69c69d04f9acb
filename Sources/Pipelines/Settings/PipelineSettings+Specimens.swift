extension PipelineSettings {
    /// Documents that between them show every key of `pipeline.yaml` and every way to write it. `config schema` is learned from how they are read; a key
    /// that the decoder asks for and none shows fails a test. Names that a user would choose begin with `example`.
    public static let specimens = [
        """
        pipeline: one
        broker: agg.example:9092
        tls: {ca: /etc/millrace/tls/ca.pem, cert: /etc/millrace/tls/etl.pem, key: /etc/millrace/tls/etl.key, server_name: agg, verify_hostname: true}
        sasl: {mechanism: SCRAM-SHA-512, user: etl, password: secret, allow_plaintext: false}
        from: {topics: [nginx.access], group: one, start: earliest}
        steps:
          - parse: {nginx: {log_format: combined, escape: default}, on_error: keep}
          - filter: status < 500
          - redact: {fields: [remote_addr], method: truncate_ip}
          - rename: {example: host}
          - remove: referer
          - keep: [status, host]
          - redact: {fields: request, find: [ip, token], method: hash, secret: 0123456789abcdef}
          - timestamp: {field: when, to: at, format: '%Y-%m-%d %H:%M:%S', zone: '+01:00'}
            on_error: drop
          - convert: {example: int}
          - sample: {share: 0.5, by: host}
          - dedupe: {by: host, within: 10m, memory: 16MiB}
          - geoip: {field: host, database: /usr/share/GeoIP/city.mmdb, fields: {example: country.iso_code}}
          - useragent: {field: agent, prefix: ua_}
          - request: {field: request, prefix: r_}
          - route: {example: exists(status)}
        dlq: {topic: one.dead, linger: 1s, batch: 256KiB}
        to:
          - export:
              root: hdfs://nn:9870/logs
              hdfs:
                user: etl
                token: none
                ca: /etc/ssl/ca.pem
                timeout: 60s
                spool: /var/spool/millrace
                hosts: {example: 10.0.0.5}
              table: one
              format: parquet
              compatibility: modern
              row_group: 64MiB
              codec: zstd
              level: 3
              partition_by: [dt, hour]
              rotate: {age: 1m, size: 128MiB}
              success: {lateness: 10m, silent_after: 6h, wait_for: agents, check: 15s}
              columns:
                example_a: int64
                example_b: {type: timestamp, from: a.b, unit: ms}
          - export: {root: /srv/export, table: two, format: jsonl, codec: gzip}
          - export:
              root: s3://logs/export
              s3:
                endpoint: https://s3.example:9000
                region: eu-central-1
                style: path
                access_key: example
                secret_key: example
                session_token: example
                ca: /etc/ssl/ca.pem
                timeout: 60s
                spool: /var/spool/millrace
                part_size: 8MiB
              table: three
          - export: {root: s3://logs/export, s3: {keys_file: /etc/millrace/aws, profile: default}, table: four}
          - file: {path: /srv/lines, rotate_size: 64MiB, keep: 5}
            routes: [example]
          - topic: {name: parsed, key: host, codec: zstd, batch: {rows: 1000, size: 1MiB, linger: 1s}}
          - elasticsearch:
              url: https://es.example:9200
              index: logs-{dt}
              operation: index
              user: example
              password: example
              headers: {example: value}
              on_error: stop
              timeout: 30s
              ca: /etc/ssl/ca.pem
              batch: {rows: 1000, size: 5MiB, linger: 1s}
          - elasticsearch: {url: https://es.example:9200, index: other, api_key: example}
          - clickhouse:
              url: https://ch.example:8443
              table: logs.one
              user: example
              password: example
              settings: {example: 1}
              timeout: 60s
              ca: /etc/ssl/ca.pem
              batch: {rows: 50000, size: 16MiB, linger: 5s}
          - postgres:
              url: postgresql://etl@db/logs
              password: example
              table: public.one
              positions: _millrace_positions
              create: true
              timeout: 60s
              columns: {example: int64}
              extra: _extra
              kafka_columns: {topic: kafka_topic, partition: kafka_partition, offset: kafka_offset, timestamp: kafka_timestamp}
          - webhook:
              url: https://example/hook
              method: POST
              format: json
              headers: {example: value}
              on_error: stop
              timeout: 10s
              ca: /etc/ssl/ca.pem
          - aggregate:
              topic: one.minutes
              name: minutes
              window: 60s
              every: 10s
              lateness: 30s
              idle: 60s
              by: [status]
              groups: 1000
              metrics: false
              values:
                example_a: count
                example_b: {count: status > 1}
                example_c: {rate: status > 1}
                example_d: {share: status > 1}
                example_e: {sum: status}
                example_f: {min: status}
                example_g: {max: status}
                example_h: {avg: status}
                example_i: {quantile: 0.95, of: status}
                example_j: {top: status, k: 10}
                example_k: {distinct: status}
        tests:
          - {name: a request, input: GET, becomes: row, route: example, row: {example: 200}, folder: dt=2026-11-22/hour=07}
        """,
        "{pipeline: two, from: {topics: t}, steps: [{parse: {json: {}}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {journal: {}}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {logfmt: {}}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {raw: {}}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {nginx_error: {zone: '+01:00'}}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {csv: {columns: [a], delimiter: ','}}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {syslog: {format: auto, zone: '+01:00'}}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {dissect: '%{a}'}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {dissect: {pattern: '%{a}'}}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {regex: '(?<a>x)'}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: {regex: {pattern: '(?<a>x)', match_limit: 1000}}}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: json}, {sample: 0.1}], to: [{file: {path: /a}}]}",
        "{pipeline: two, from: {topics: t}, steps: [{parse: json, on_error: dlq}], dlq: dead, to: [{file: {path: /a}}]}",
    ]
}
