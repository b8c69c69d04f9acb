import java.io.PrintStream;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.MemoryRecords;

/**
 * Prints what Kafka's own Java client writes for every message in every version: once with every field filled, once with
 * nothing but defaults and nulls. Values count upwards, so that no two are alike and every run prints the same.
 *
 * Arguments: a file of lines "MESSAGE FIRST LAST". Output, separated by tabs: message, version, "full" or "bare", hex, and
 * for the first and last version of a full message the values as its JsonConverter gives them.
 */
public class GoldenBytes {
    static int counter = 0;

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            String[] words = line.split(" ");
            int first = Integer.parseInt(words[1]);
            int last = Integer.parseInt(words[2]);
            for (int version = first; version <= last; version++) {
                counter = 0;
                print(out, words[0], (short) version, true, version == first || version == last);
                print(out, words[0], (short) version, false, false);
            }
        }
        out.flush();
    }

    static Class<?> messageClass(String name) throws Exception {
        try {
            return Class.forName("org.apache.kafka.common.message." + name + "Data");
        } catch (ClassNotFoundException e) {
            return Class.forName("org.apache.kafka.common.message." + name);
        }
    }

    static void print(PrintStream out, String name, short version, boolean full, boolean json) throws Exception {
        Class<?> type = messageClass(name);
        Message message = (Message) type.getDeclaredConstructor().newInstance();
        Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
        fill(message, schemas[version], full);
        ByteBuffer bytes = MessageUtil.toByteBufferAccessor(message, version).buffer();
        StringBuilder hex = new StringBuilder();
        while (bytes.hasRemaining()) hex.append(String.format("%02x", bytes.get()));
        String values = "";
        if (json) {
            Class<?> converter = Class.forName(type.getName() + "JsonConverter");
            values = "\t" + converter.getMethod("write", type, short.class).invoke(null, message, version);
        }
        out.println(name + "\t" + version + "\t" + (full ? "full" : "bare") + "\t" + hex + values);
    }

    static void fill(Object target, Schema schema, boolean full) throws Exception {
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields) {
                for (Field field : ((TaggedFields) bound.def.type).fields().values()) set(target, field, full);
            } else {
                set(target, bound.def, full);
            }
        }
    }

    static void set(Object target, Field field, boolean full) throws Exception {
        Method setter = setter(target.getClass(), field.name);
        if (full) {
            setter.invoke(target, value(setter.getParameterTypes()[0], setter.getGenericParameterTypes()[0], field.type));
        } else if (field.type.isNullable()) {
            setter.invoke(target, new Object[] {null});
        }
    }

    static Method setter(Class<?> type, String snake) {
        StringBuilder name = new StringBuilder("set");
        for (String word : snake.split("_")) name.append(word.substring(0, 1).toUpperCase()).append(word.substring(1));
        for (Method method : type.getMethods()) {
            if (method.getName().equals(name.toString()) && method.getParameterCount() == 1) return method;
        }
        throw new IllegalArgumentException(type + " has no " + name);
    }

    static Object value(Class<?> type, java.lang.reflect.Type generic, Type schema) throws Exception {
        int n = ++counter;
        if (type == boolean.class) return n % 2 == 1;
        if (type == byte.class || type == Byte.class) return (byte) (n % 120 + 1);
        if (type == short.class || type == Short.class) return (short) (n % 100 + 2);
        if (type == int.class) {
            // uint16 is an int in Java.
            return schema == Type.UINT16 ? 40000 + n : 100000 * n;
        }
        if (type == Integer.class) return 100000 * n;
        if (type == long.class || type == Long.class) return 10000000000L * n;
        if (type == double.class) return n + 0.25;
        if (type == String.class) return n % 7 == 0 ? "grün-" + n : "text-" + n;
        if (type == Uuid.class) return new Uuid(0x0102030405060000L + n, -n);
        if (type == byte[].class) return bytes(n);
        if (type == ByteBuffer.class) return ByteBuffer.wrap(bytes(n));
        if (type.getSimpleName().equals("BaseRecords")) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(n)));
        if (Collection.class.isAssignableFrom(type)) return collection(type, generic, schema);
        Object struct = type.getDeclaredConstructor().newInstance();
        fill(struct, schemaOf(schema), true);
        return struct;
    }

    /** A nullable struct wraps its schema; both can be asked for the schema itself. */
    static Schema schemaOf(Type type) {
        return (Schema) type;
    }

    static byte[] bytes(int n) {
        return new byte[] {(byte) n, (byte) 0xff, 0, (byte) (n * 3)};
    }

    @SuppressWarnings("unchecked")
    static Object collection(Class<?> type, java.lang.reflect.Type generic, Type schema) throws Exception {
        Collection<Object> collection;
        Class<?> element;
        if (generic instanceof ParameterizedType) {
            collection = new ArrayList<>();
            element = (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
        } else {
            collection = (Collection<Object>) type.getConstructor(int.class).newInstance(8);
            element = (Class<?>) ((ParameterizedType) type.getGenericSuperclass()).getActualTypeArguments()[0];
        }
        Type elementSchema = schema.arrayElementType().get();
        for (int i = 0; i < 2; i++) collection.add(value(element, element, elementSchema));
        return collection;
    }
}
