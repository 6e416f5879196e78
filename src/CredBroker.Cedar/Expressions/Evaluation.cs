namespace CredBroker.Cedar.Expressions;

/// <summary>One evaluation: what the expressions can see, and the first error.</summary>
internal sealed class Evaluation(Request request, EntityStore entities)
{
    private Diagnostic? _error;

    public Request Request { get; } = request;

    public EntityStore Entities { get; } = entities;

    public CedarBool? Bool(Expr expr)
    {
        var value = expr.Evaluate(this);
        return value is CedarBool or null ? (CedarBool?)value : WrongType(expr, "Bool", value);
    }

    public CedarBool? Fail(Expr at, string message) => Fail<CedarBool>(at, message);

    public T? Fail<T>(Expr at, string message) where T : CedarValue
    {
        _error = new Diagnostic(at.Location, message);
        return null;
    }

    public CedarBool? WrongType(Expr at, string expected, CedarValue found) => WrongType<CedarBool>(at, expected, found);

    public T? WrongType<T>(Expr at, string expected, CedarValue found) where T : CedarValue =>
        Fail<T>(at, $"expected {expected}, found {found.TypeName}");

    /// <summary>The error of the policy that just failed.</summary>
    public Diagnostic TakeError() => _error ?? throw new InvalidOperationException("no evaluation failed");
}
