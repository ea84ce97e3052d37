package lambent;

import java.io.DataInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Comes up before there is a function: rehearses what AWS's runtime interface client does, says that it is ready, waits
 * for the function's variables, and becomes the client. See docs/internals/channel.md.
 */
public final class Launcher {
    private static final int CHANNEL = 3;
    private static final byte READY = 1;
    private static final String CLIENT = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda";

    private Launcher() {}

    public static void main(String[] arguments) throws Throwable {
        Environment environment = new Environment();
        rehearse();
        if (arguments.length > 0) {
            return; // only to see which classes that takes
        }
        Map<String, String> variables = receive(descriptor(CHANNEL));
        environment.replace(variables);
        environment.changeDirectory(System.getProperty("user.dir"));
        run(variables.getOrDefault("_HANDLER", ""));
    }

    /** Only makes faster: what cannot be rehearsed is met for the first time by the function. */
    private static void rehearse() {
        try {
            Rehearsal.run();
        } catch (Exception | LinkageError error) {
            return;
        }
    }

    private static Map<String, String> receive(FileDescriptor channel) throws IOException {
        byte[] message;
        try (FileOutputStream output = new FileOutputStream(channel);
                DataInputStream input = new DataInputStream(new FileInputStream(channel))) {
            output.write(READY);
            message = new byte[input.readInt()];
            input.readFully(message);
        }
        Map<String, String> variables = new HashMap<>();
        for (String entry : new String(message, StandardCharsets.UTF_8).split("\0")) {
            int end = entry.indexOf('=');
            variables.put(entry.substring(0, end), entry.substring(end + 1));
        }
        return variables;
    }

    private static FileDescriptor descriptor(int number) throws ReflectiveOperationException {
        Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
        constructor.setAccessible(true);
        return constructor.newInstance(number);
    }

    private static void run(String handler) throws Throwable {
        try {
            Class.forName(CLIENT).getMethod("main", String[].class).invoke(null, (Object) new String[] {handler});
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
    }
}
