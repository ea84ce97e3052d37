package lambent;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * The variables and the working directory of this process, for which Java has no setters. Both the map behind
 * System.getenv and what the C library knows are changed, for native code asks that.
 */
final class Environment {
    private static final long OVERWRITE = 1;

    private final Map<String, String> variables;
    private final sun.misc.Unsafe memory;
    private final long setenv;
    private final long chdir;

    Environment() throws ReflectiveOperationException {
        Object unmodifiable = field(Class.forName("java.lang.ProcessEnvironment"), "theUnmodifiableEnvironment", null);
        variables = variablesIn(unmodifiable);
        memory = (sun.misc.Unsafe) field(sun.misc.Unsafe.class, "theUnsafe", null);
        System.load(System.getProperty("lambent.call"));
        setenv = addressOf("setenv");
        chdir = addressOf("chdir");
    }

    void replace(Map<String, String> wanted) {
        variables.clear();
        variables.putAll(wanted);
        for (Map.Entry<String, String> entry : wanted.entrySet()) {
            call(setenv, text(entry.getKey()), text(entry.getValue()), OVERWRITE);
        }
    }

    /** The one that the process began in is the empty one below what was mounted since. */
    void changeDirectory(String directory) {
        call(chdir, text(directory), 0, 0);
    }

    /** Calls a C function: of the library that runtimes/native_call.py writes. */
    private static native long call(long function, long first, long second, long third);

    /** Never freed: there are a few hundred bytes of it. */
    private long text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        long address = memory.allocateMemory(bytes.length + 1L);
        for (int index = 0; index < bytes.length; index++) {
            memory.putByte(address + index, bytes[index]);
        }
        memory.putByte(address + bytes.length, (byte) 0);
        return address;
    }

    /** Among the libraries of the virtual machine itself, of which the C library is one. */
    private static long addressOf(String function) throws ReflectiveOperationException {
        for (Method method : ClassLoader.class.getDeclaredMethods()) {
            if (method.getName().equals("findNative")) {
                method.setAccessible(true);
                Object[] arguments = new Object[method.getParameterCount()]; // the first is a loader: the boot loader
                arguments[arguments.length == 2 ? 1 : 2] = function;
                long address = (Long) method.invoke(null, arguments);
                if (address != 0) {
                    return address;
                }
            }
        }
        throw new NoSuchMethodException(function);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, String> variablesIn(Object unmodifiable) throws ReflectiveOperationException {
        return (Map<String, String>) field(Class.forName("java.util.Collections$UnmodifiableMap"), "m", unmodifiable);
    }

    private static Object field(Class<?> owner, String name, Object of) throws ReflectiveOperationException {
        Field field = owner.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }
}
