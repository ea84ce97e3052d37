package lambent;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.api.client.EventHandlerLoader;
import com.amazonaws.services.lambda.runtime.api.client.HandlerInfo;
import com.amazonaws.services.lambda.runtime.api.client.LambdaRequestHandler;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaRuntimeApiClient;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaRuntimeApiClientImpl;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * One invocation of a handler that answers with its event, from a Runtime API of our own. Afterwards the classes are
 * loaded, and nothing has been looked at that depends on a function: the client's LambdaEnvironment reads variables when
 * it is initialized, so it is only loaded.
 */
public final class Rehearsal implements RequestHandler<Map<String, Object>, Object> {
    private static final String PREFIX = "com/amazonaws/services/lambda/runtime/";
    private static final String CLIENT = "com.amazonaws.services.lambda.runtime.api.client.";
    private static final String NOWHERE = "/nowhere/";
    private static final String EVENT = "{\"a\": [1, 2.5, true, null], \"b\": {\"c\": \"d\"}}";

    public Object handleRequest(Map<String, Object> event, Context context) {
        return event;
    }

    static void run() throws Exception {
        loadClient();
        try (ServerSocket api = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread thread = new Thread(() -> serve(api));
            thread.setDaemon(true);
            thread.start();
            LambdaRuntimeApiClient client = new LambdaRuntimeApiClientImpl("127.0.0.1:" + api.getLocalPort());
            InvocationRequest request = client.nextInvocation();
            client.reportInvocationSuccess(request.getId(), handle(request.getContent()));
        }
    }

    private static byte[] handle(byte[] event) throws IOException, ReflectiveOperationException {
        HandlerInfo info = HandlerInfo.fromString(Rehearsal.class.getName() + "::handleRequest", loaderOfNothing());
        LambdaRequestHandler handler = EventHandlerLoader.loadEventHandler(info);
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        streamHandlerIn(handler).handleRequest(new ByteArrayInputStream(event), output, contextOfNothing());
        return output.toByteArray();
    }

    /** What calls this is the client's too, and asks LambdaEnvironment. */
    private static RequestStreamHandler streamHandlerIn(LambdaRequestHandler handler)
            throws ReflectiveOperationException {
        for (Field field : handler.getClass().getDeclaredFields()) {
            if (RequestStreamHandler.class.isAssignableFrom(field.getType())) {
                field.setAccessible(true);
                return (RequestStreamHandler) field.get(handler);
            }
        }
        throw new NoSuchFieldException("the handler of " + handler.getClass());
    }

    private static Context contextOfNothing() {
        ClassLoader loader = Rehearsal.class.getClassLoader();
        return (Context) Proxy.newProxyInstance(loader, new Class<?>[] {Context.class}, (proxy, method, given) -> null);
    }

    /** As the client makes one for the function's code. */
    private static ClassLoader loaderOfNothing() throws ReflectiveOperationException {
        Constructor<?> constructor = Class.forName(CLIENT + "CustomerClassLoader")
                .getDeclaredConstructor(String.class, String.class, ClassLoader.class);
        constructor.setAccessible(true);
        return (ClassLoader) constructor.newInstance(NOWHERE, NOWHERE, Rehearsal.class.getClassLoader());
    }

    /** Every class of the client, linked and not initialized. */
    private static void loadClient() throws IOException, ClassNotFoundException {
        for (String path : System.getProperty("java.class.path").split(":")) {
            try (JarFile jar = new JarFile(path)) {
                for (JarEntry entry : Collections.list(jar.entries())) {
                    String name = entry.getName();
                    if (name.startsWith(PREFIX) && name.endsWith(".class") && !name.contains("/events/")) {
                        link(name.substring(0, name.length() - ".class".length()).replace('/', '.'));
                    }
                }
            }
        }
    }

    private static void link(String name) throws ClassNotFoundException {
        try {
            Class.forName(name, false, Rehearsal.class.getClassLoader()).getDeclaredMethods();
        } catch (NoClassDefFoundError missing) {
            return; // of something optional that is not on the class path
        }
    }

    private static void serve(ServerSocket api) {
        try (Socket socket = api.accept()) {
            InputStream input = new BufferedInputStream(socket.getInputStream());
            readRequest(input);
            String headers = "Lambda-Runtime-Aws-Request-Id: rehearsal\r\nLambda-Runtime-Deadline-Ms: 9999999999999\r\n"
                    + "Lambda-Runtime-Invoked-Function-Arn: arn\r\n";
            answer(socket.getOutputStream(), "200 OK", headers, EVENT);
            readRequest(input);
            answer(socket.getOutputStream(), "202 Accepted", "Connection: close\r\n", "");
        } catch (IOException error) {
            return; // the client says what it misses
        }
    }

    private static void answer(OutputStream output, String status, String headers, String body) throws IOException {
        String head = "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + headers;
        String whole = head + "Content-Length: " + body.length() + "\r\n\r\n" + body;
        output.write(whole.getBytes(StandardCharsets.US_ASCII));
    }

    private static void readRequest(InputStream input) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = input.read();
            if (next < 0) {
                return;
            }
            head.append((char) next);
        }
        for (String line : head.toString().toLowerCase(Locale.ROOT).split("\r\n")) {
            if (line.startsWith("content-length:")) {
                for (int left = Integer.parseInt(line.substring(line.indexOf(':') + 1).trim()); left > 0; left--) {
                    input.read();
                }
            }
        }
    }
}
