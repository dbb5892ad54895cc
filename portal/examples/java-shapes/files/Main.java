import java.util.List;

public class Main {
    sealed interface Shape permits Circle, Rectangle {}

    record Circle(double radius) implements Shape {}

    record Rectangle(double width, double height) implements Shape {}

    static double area(Shape shape) {
        if (shape instanceof Circle circle) return Math.PI * circle.radius() * circle.radius();
        if (shape instanceof Rectangle box) return box.width() * box.height();
        throw new IllegalStateException();
    }

    public static void main(String[] args) {
        List<Shape> shapes = List.of(new Circle(1), new Rectangle(2, 3), new Circle(0.5));
        for (Shape shape : shapes) System.out.printf("%-40s %6.2f%n", shape, area(shape));
        System.out.printf("%-40s %6.2f%n", "total", shapes.stream().mapToDouble(Main::area).sum());
    }
}
