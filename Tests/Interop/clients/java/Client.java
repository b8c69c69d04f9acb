import java.time.Duration;
import java.util.*;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/**
 * What the test asks of Apache Kafka's own Java client, one verb a run, answers as lines on standard output.
 *
 *     produce ADDRESS TOPIC COUNT CODEC     idempotent; prints "offset value" of each record
 *     consume ADDRESS TOPIC GROUP COUNT     a classic group's member; prints "partition offset value" until COUNT records came, then commits
 *     admin ADDRESS TOPIC                   makes, describes, alters, grows and deletes a topic; prints what it saw
 */
public class Client {
    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "produce": produce(arguments[1], arguments[2], Integer.parseInt(arguments[3]), arguments[4]); break;
            case "consume": consume(arguments[1], arguments[2], arguments[3], Integer.parseInt(arguments[4])); break;
            case "admin": admin(arguments[1], arguments[2]); break;
            default: throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static Properties settings(String address, String... more) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", address);
        for (int place = 0; place < more.length; place += 2) settings.put(more[place], more[place + 1]);
        return settings;
    }

    private static void produce(String address, String topic, int count, String codec) throws Exception {
        String serializer = "org.apache.kafka.common.serialization.StringSerializer";
        Properties settings = settings(address, "compression.type", codec, "linger.ms", "5", "acks", "all",
            "key.serializer", serializer, "value.serializer", serializer);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
            for (int number = 0; number < count; number++) {
                sent.add(producer.send(new ProducerRecord<>(topic, "key " + number % 97, codec + " " + number)));
            }
        }
        StringBuilder out = new StringBuilder();
        for (int number = 0; number < count; number++) {
            RecordMetadata place = sent.get(number).get();
            out.append(place.partition()).append(' ').append(place.offset()).append(' ').append(codec).append(' ').append(number).append('\n');
        }
        System.out.print(out);
    }

    private static void consume(String address, String topic, String group, int count) {
        String deserializer = "org.apache.kafka.common.serialization.StringDeserializer";
        Properties settings = settings(address, "group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", "false",
            "key.deserializer", deserializer, "value.deserializer", deserializer);
        StringBuilder out = new StringBuilder();
        int seen = 0;
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings)) {
            consumer.subscribe(List.of(topic));
            long end = System.nanoTime() + 60_000_000_000L;
            while (seen < count && System.nanoTime() < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
                    out.append(record.partition()).append(' ').append(record.offset()).append(' ').append(record.value()).append('\n');
                    seen++;
                }
            }
            consumer.commitSync();
        }
        System.out.print(out);
    }

    private static void admin(String address, String topic) throws Exception {
        try (Admin admin = Admin.create(settings(address))) {
            NewTopic wanted = new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "3600000"));
            admin.createTopics(List.of(wanted), new CreateTopicsOptions().validateOnly(true)).all().get();
            System.out.println("validated " + !admin.listTopics().names().get().contains(topic));
            admin.createTopics(List.of(wanted)).all().get();
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            admin.incrementalAlterConfigs(Map.of(resource, List.of(
                new AlterConfigOp(new ConfigEntry("segment.bytes", "1048576"), AlterConfigOp.OpType.SET)))).all().get();
            Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
            System.out.println("retention.ms " + config.get("retention.ms").value() + " segment.bytes " + config.get("segment.bytes").value());
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
            System.out.println("partitions " + admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
            TopicPartition first = new TopicPartition(topic, 0);
            System.out.println("latest " + admin.listOffsets(Map.of(first, OffsetSpec.latest())).all().get().get(first).offset());
            System.out.println("nodes " + admin.describeCluster().nodes().get().size());
            System.out.println("log dirs " + admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).size());
            admin.deleteTopics(List.of(topic)).all().get();
            System.out.println("deleted " + !admin.listTopics().names().get().contains(topic));
        }
    }
}
