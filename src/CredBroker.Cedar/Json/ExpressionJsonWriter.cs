using System.Text.Json;
using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>Writes expressions as JSON policies have them.</summary>
internal sealed class ExpressionJsonWriter(Utf8JsonWriter json)
{
    // A chain leans to the left, as in the official format; beyond this it is cut in halves, so that no reader meets its limit of depth.
    private const int MaxLeaning = 32;

    public void Write(Expr expr)
    {
        json.WriteStartObject();
        switch (expr)
        {
            case LiteralExpr e:
                json.WritePropertyName("Value");
                new ValueJsonWriter(json).Write(e.Value);
                break;
            case VariableExpr e:
                json.WriteString("Var", VariableExpr.NameOf(e.Variable));
                break;
            case NotExpr e:
                WriteUnary("!", e.Operand);
                break;
            case NegateExpr e:
                WriteUnary("neg", e.Operand);
                break;
            case IsEmptyExpr e:
                WriteUnary("isEmpty", e.Target);
                break;
            case HasExpr { Path.Length: > 1 } e:
                // As the official implementation writes it: older readers know no paths here.
                WriteChain("&&", e.Expand().AsSpan());
                break;
            case AndExpr e:
                WriteChain("&&", e.Operands.AsSpan());
                break;
            case OrExpr e:
                WriteChain("||", e.Operands.AsSpan());
                break;
            case BinaryExpr e:
                json.WriteStartObject(BinaryOperators.NameOf(e.Operator));
                WriteOperand("left", e.Left);
                WriteOperand("right", e.Right);
                json.WriteEndObject();
                break;
            case SetExpr e:
                WriteMany("Set", e.Elements);
                break;
            case CallExpr e:
                WriteMany(e.Function.Name, e.Arguments);
                break;
            default:
                WriteNamed(expr);
                break;
        }
        json.WriteEndObject();
    }

    private void WriteNamed(Expr expr)
    {
        switch (expr)
        {
            case GetAttributeExpr e:
                json.WriteStartObject(".");
                WriteOperand("left", e.Target);
                json.WriteString("attr", e.Name);
                break;
            case HasExpr e:
                json.WriteStartObject("has");
                WriteOperand("left", e.Target);
                json.WriteString("attr", e.Path[0]);
                break;
            case LikeExpr e:
                json.WriteStartObject("like");
                WriteOperand("left", e.Target);
                WritePattern(e.Pattern);
                break;
            case IsExpr e:
                json.WriteStartObject("is");
                WriteOperand("left", e.Target);
                json.WriteString("entity_type", e.EntityType);
                if (e.In is not null)
                    WriteOperand("in", e.In.Right);
                break;
            case IfExpr e:
                json.WriteStartObject("if-then-else");
                WriteOperand("if", e.Condition);
                WriteOperand("then", e.Then);
                WriteOperand("else", e.Else);
                break;
            case RecordExpr e:
                json.WriteStartObject("Record");
                foreach (var (name, value) in e.Attributes)
                    WriteOperand(name, value);
                break;
            default:
                throw new InvalidOperationException($"{expr.GetType().Name} has no JSON format");
        }
        json.WriteEndObject();
    }

    private void WriteOperand(string name, Expr expr)
    {
        json.WritePropertyName(name);
        Write(expr);
    }

    private void WriteUnary(string name, Expr operand)
    {
        json.WriteStartObject(name);
        WriteOperand("arg", operand);
        json.WriteEndObject();
    }

    private void WriteMany(string name, IEnumerable<Expr> items)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
            Write(item);
        json.WriteEndArray();
    }

    private void WriteChain(string op, ReadOnlySpan<Expr> operands)
    {
        json.WriteStartObject(op);
        var cut = operands.Length > MaxLeaning ? operands.Length / 2 : operands.Length - 1;
        json.WritePropertyName("left");
        WriteLink(op, operands[..cut]);
        json.WritePropertyName("right");
        WriteLink(op, operands[cut..]);
        json.WriteEndObject();
    }

    private void WriteLink(string op, ReadOnlySpan<Expr> operands)
    {
        if (operands.Length == 1)
        {
            Write(operands[0]);
            return;
        }
        json.WriteStartObject();
        WriteChain(op, operands);
        json.WriteEndObject();
    }

    private void WritePattern(Pattern pattern)
    {
        json.WriteStartArray("pattern");
        for (var i = 0; i < pattern.Pieces.Length; i++)
        {
            if (i > 0)
                json.WriteStringValue("Wildcard");
            if (pattern.Pieces[i].Length == 0)
                continue;
            json.WriteStartObject();
            json.WriteString("Literal", pattern.Pieces[i]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
