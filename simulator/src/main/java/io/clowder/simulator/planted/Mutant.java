// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.planted;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * The program with a bug in it: the classes of the bug are compiled from their changed sources in
 * memory, and all classes of this project are loaded anew around them.
 */
public final class Mutant {
  private static final String PROJECT = "io.clowder.";

  private final Loader loader;

  private Mutant(Loader loader) {
    this.loader = loader;
  }

  /**
   * Compiles a bug.
   *
   * @param root of the modules
   * @param support sources that its trials need besides
   */
  public static Mutant of(Bug bug, Path root, List<Path> support) throws IOException {
    Map<Path, String> sources = new HashMap<>();
    for (Bug.Edit edit : bug.edits()) {
      Path file = edit.file(root);
      String source = sources.containsKey(file) ? sources.get(file) : Files.readString(file);
      sources.put(file, edit.apply(source));
    }
    for (Path file : support) {
      sources.putIfAbsent(file, Files.readString(file));
    }
    return new Mutant(new Loader(compile(bug.name(), sources)));
  }

  /** Its trials: by their way and a seed, what went wrong, or null. */
  @SuppressWarnings("unchecked")
  public BiFunction<String, Long, @Nullable String> trial() {
    try {
      return (BiFunction<String, Long, @Nullable String>)
          loader.loadClass(Trial.class.getName()).getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("the trial cannot be loaded", e);
    }
  }

  private static Map<String, byte[]> compile(String name, Map<Path, String> sources)
      throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    List<JavaFileObject> units = new ArrayList<>();
    sources.forEach((path, source) -> units.add(new Source(path, source)));
    try (Outputs outputs = new Outputs(compiler.getStandardFileManager(null, null, null))) {
      List<String> options =
          List.of(
              "-proc:none",
              "-nowarn",
              "-Xlint:none",
              "--release",
              "17",
              "-parameters",
              "-classpath",
              System.getProperty("java.class.path"));
      if (!compiler.getTask(said, outputs, null, options, null, units).call()) {
        throw new AssertionError("bug " + name + " cannot be compiled:\n" + said);
      }
      Map<String, byte[]> classes = new HashMap<>();
      outputs.classes.forEach((type, bytes) -> classes.put(type, bytes.toByteArray()));
      return classes;
    }
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String source;

    Source(Path path, String source) {
      super(path.toUri(), Kind.SOURCE);
      this.source = source;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return source;
    }
  }

  /** Keeps what the compiler writes. */
  private static final class Outputs extends ForwardingJavaFileManager<StandardJavaFileManager> {
    final Map<String, ByteArrayOutputStream> classes = new HashMap<>();

    Outputs(StandardJavaFileManager manager) {
      super(manager);
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
        JavaFileManager.Location location, String type, JavaFileObject.Kind kind, FileObject by) {
      return new SimpleJavaFileObject(URI.create("mem:///" + type.replace('.', '/')), kind) {
        @Override
        public OutputStream openOutputStream() {
          ByteArrayOutputStream bytes = new ByteArrayOutputStream();
          classes.put(type, bytes);
          return bytes;
        }
      };
    }
  }

  /** Asks its parent last for classes of this project. */
  private static final class Loader extends ClassLoader {
    private final Map<String, byte[]> changed;

    Loader(Map<String, byte[]> changed) {
      super(Mutant.class.getClassLoader());
      this.changed = changed;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(PROJECT)) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> known = findLoadedClass(name);
        return known == null ? define(name) : known;
      }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
      byte[] bytes = changed.get(name);
      if (bytes == null) {
        try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
          if (in == null) {
            throw new ClassNotFoundException(name);
          }
          bytes = in.readAllBytes();
        } catch (IOException e) {
          throw new ClassNotFoundException(name, e);
        }
      }
      return defineClass(name, bytes, 0, bytes.length);
    }
  }
}
