using System.Collections.Immutable;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Schemas;

/// <summary>Reads the text format of schemas. After an error it goes on behind the next semicolon.</summary>
internal sealed class SchemaParser(string text, string file) : TokenReader(text, file)
{
    private readonly ImmutableArray<DeclarationSyntax>.Builder _declarations = ImmutableArray.CreateBuilder<DeclarationSyntax>();
    private readonly ImmutableArray<SpaceSyntax>.Builder _spaces = ImmutableArray.CreateBuilder<SpaceSyntax>();
    private readonly HashSet<string> _spaceNames = new(StringComparer.Ordinal);
    private string _space = "";

    public Parsed<Schema> Parse()
    {
        while (!Is(TokenKind.End) && !Diagnostics.IsFull)
        {
            try
            {
                ParseTop();
            }
            catch (ParseAbort)
            {
                Recover();
            }
        }
        if (_space.Length > 0 && Diagnostics.IsEmpty)
            Diagnostics.Add(At(Current), $"the namespace {_space} is not closed");
        var syntax = new SchemaSyntax(_declarations.ToImmutable(), _spaces.ToImmutable());
        var schema = Diagnostics.IsEmpty ? new SchemaResolver(syntax, Diagnostics).Resolve() : null;
        return schema is not null ? new(schema) : new(Diagnostics.ToSorted());
    }

    private void ParseTop()
    {
        if (_space.Length > 0 && Accept(TokenKind.CloseBrace))
        {
            _space = "";
            return;
        }
        var annotations = ParseAnnotations();
        if (_space.Length == 0 && AcceptWord("namespace"))
        {
            var at = Current;
            var path = ParsePath();
            if (path == "__cedar" || path.StartsWith("__cedar::", StringComparison.Ordinal))
                throw Fail(at, "the namespace '__cedar' is reserved");
            Expect(TokenKind.OpenBrace, "'{'");
            if (!_spaceNames.Add(path))
                Diagnostics.Add(At(at), $"the namespace {path} is declared twice");
            _spaces.Add(new SpaceSyntax(path, annotations));
            _space = path;
            return;
        }
        _declarations.Add(ParseDeclaration() with { Annotations = annotations });
    }

    // Annotations document a schema; they mean nothing to a decision.
    private ImmutableArray<Annotation> ParseAnnotations()
    {
        if (!Is(TokenKind.At))
            return [];
        var annotations = ImmutableArray.CreateBuilder<Annotation>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (Accept(TokenKind.At))
        {
            var name = Expect(TokenKind.Identifier, "an annotation's name");
            var value = "";
            if (Accept(TokenKind.OpenParen))
            {
                value = Unquote(Expect(TokenKind.String, "a string"));
                Expect(TokenKind.CloseParen, "')'");
            }
            var annotation = new Annotation(TextOf(name), value, At(name));
            if (!names.Add(annotation.Name))
                Diagnostics.Add(annotation.Location, $"the annotation @{annotation.Name} is repeated");
            annotations.Add(annotation);
        }
        return annotations.DrainToImmutable();
    }

    private DeclarationSyntax ParseDeclaration()
    {
        DeclarationSyntax declaration;
        if (AcceptWord("entity"))
            declaration = ParseEntity();
        else if (AcceptWord("action"))
            declaration = ParseAction();
        else if (AcceptWord("type"))
            declaration = ParseCommonType();
        else
            throw Unexpected("'entity', 'action', 'type' or 'namespace'");
        Expect(TokenKind.Semicolon, "';'");
        return declaration;
    }

    private DeclarationSyntax ParseEntity()
    {
        var names = List(ParseIdentifier);
        if (AcceptWord("enum"))
        {
            Expect(TokenKind.OpenBracket, "'['");
            var ids = List(() => Unquote(Expect(TokenKind.String, "an id as a string")));
            Expect(TokenKind.CloseBracket, "']'");
            return new DeclarationSyntax.EnumEntity(_space, names, ids);
        }
        var parents = AcceptWord("in") ? ParseEntityTypes(mayBeEmpty: true) : [];
        var attributes = new TypeSyntax.Record([], At(Current));
        if (Accept(TokenKind.Assign) || Is(TokenKind.OpenBrace))
            attributes = ParseRecord();
        return new DeclarationSyntax.Entity(_space, names, parents, attributes, AcceptWord("tags") ? ParseType() : null);
    }

    private DeclarationSyntax.CommonType ParseCommonType()
    {
        var name = ParseIdentifier();
        Expect(TokenKind.Assign, "'='");
        return new DeclarationSyntax.CommonType(_space, [name], ParseType());
    }

    private DeclarationSyntax.Action ParseAction()
    {
        var names = List(ParseName);
        var parents = AcceptWord("in") ? ParseParents() : [];
        var appliesTo = AcceptWord("appliesTo") ? ParseAppliesTo() : null;
        // An older form; it may only be empty.
        if (AcceptWord("attributes"))
        {
            Expect(TokenKind.OpenBrace, "'{'");
            Expect(TokenKind.CloseBrace, "'}'");
        }
        return new DeclarationSyntax.Action(_space, names, parents, appliesTo);
    }

    private ImmutableArray<ActionReference> ParseParents()
    {
        if (!Accept(TokenKind.OpenBracket))
            return [ParseActionReference()];
        var parents = List(ParseActionReference);
        Expect(TokenKind.CloseBracket, "',' or ']'");
        return parents;
    }

    private ActionReference ParseActionReference()
    {
        var at = At(Current);
        if (Is(TokenKind.String) || Following.Kind != TokenKind.PathSeparator)
            return new ActionReference(null, ParseName().Name, at);
        var path = ParsePath();
        Expect(TokenKind.PathSeparator, "'::'");
        return new ActionReference(path, Unquote(Expect(TokenKind.String, "the action's id as a string")), at);
    }

    private AppliesToSyntax ParseAppliesTo()
    {
        var start = Expect(TokenKind.OpenBrace, "'{'");
        ImmutableArray<NameSyntax>? principals = null, resources = null;
        TypeSyntax? context = null;
        do
        {
            var token = Expect(TokenKind.Identifier, "'principal', 'resource' or 'context'");
            Expect(TokenKind.Colon, "':'");
            var isRepeated = false;
            if (IsWord(token, "principal"))
                (isRepeated, principals) = (principals is not null, ParseEntityTypes());
            else if (IsWord(token, "resource"))
                (isRepeated, resources) = (resources is not null, ParseEntityTypes());
            else if (IsWord(token, "context"))
                (isRepeated, context) = (context is not null, ParseType());
            else
                throw Fail(token, "expected 'principal', 'resource' or 'context'");
            if (isRepeated)
                Diagnostics.Add(At(token), $"'{TextOf(token)}' is repeated");
        }
        while (Accept(TokenKind.Comma) && !Is(TokenKind.CloseBrace));
        Expect(TokenKind.CloseBrace, "',' or '}'");
        if (principals is null || resources is null)
            Diagnostics.Add(At(start), $"'{(principals is null ? "principal" : "resource")}' is missing");
        return new AppliesToSyntax(principals ?? [], resources ?? [], context);
    }

    private ImmutableArray<NameSyntax> ParseEntityTypes(bool mayBeEmpty = false)
    {
        if (!Accept(TokenKind.OpenBracket))
            return [ParseTypeName()];
        // Only an entity may say that it is in nothing.
        var types = mayBeEmpty && Is(TokenKind.CloseBracket) ? [] : List(ParseTypeName);
        Expect(TokenKind.CloseBracket, "',' or ']'");
        return types;
    }

    private TypeSyntax ParseType() => Nested(ParseTypeUnguarded);

    private TypeSyntax ParseTypeUnguarded()
    {
        if (Is(TokenKind.OpenBrace))
            return ParseRecord();
        var at = At(Current);
        if (!IsWord("Set") || Following.Kind != TokenKind.Less)
            return new TypeSyntax.Named(ParsePath(), at);
        Advance();
        Advance();
        var element = ParseType();
        Expect(TokenKind.Greater, "'>'");
        return new TypeSyntax.Set(element, at);
    }

    private TypeSyntax.Record ParseRecord()
    {
        var at = At(Expect(TokenKind.OpenBrace, "'{'"));
        var names = new HashSet<string>(StringComparer.Ordinal);
        var attributes = ImmutableArray.CreateBuilder<AttributeSyntax>();
        while (!Accept(TokenKind.CloseBrace))
        {
            var annotations = ParseAnnotations();
            var name = ParseName();
            var isRequired = !Accept(TokenKind.Question);
            Expect(TokenKind.Colon, "':'");
            if (!names.Add(name.Name))
                Diagnostics.Add(name.Location, $"the attribute {Quoting.Quote(name.Name)} is repeated");
            attributes.Add(new AttributeSyntax(name, isRequired, ParseType(), annotations));
            if (!Is(TokenKind.CloseBrace))
                Expect(TokenKind.Comma, "',' or '}'");
        }
        return new TypeSyntax.Record(attributes.DrainToImmutable(), at);
    }

    private NameSyntax ParseTypeName()
    {
        var at = At(Current);
        return new NameSyntax(ParsePath(), at);
    }

    private string ParsePath()
    {
        var path = new List<string> { AcceptWord("__cedar") ? "__cedar" : ParseIdentifier().Name };
        while (Is(TokenKind.PathSeparator) && Following.Kind == TokenKind.Identifier)
        {
            Advance();
            path.Add(ParseIdentifier().Name);
        }
        return string.Join("::", path);
    }

    private NameSyntax ParseName()
    {
        var at = At(Current);
        if (Is(TokenKind.String))
            return new NameSyntax(Unquote(Advance()), at);
        // Reserved among types, but not among attributes and actions.
        return AcceptWord("__cedar") ? new NameSyntax("__cedar", at) : ParseIdentifier();
    }

    private NameSyntax ParseIdentifier()
    {
        var token = Expect(TokenKind.Identifier, "a name");
        var name = TextOf(token);
        return Names.IsReserved(name) ? throw Fail(token, $"'{name}' is reserved") : new NameSyntax(name, At(token));
    }

    private ImmutableArray<T> List<T>(Func<T> parse)
    {
        var items = ImmutableArray.CreateBuilder<T>();
        do
            items.Add(parse());
        while (Accept(TokenKind.Comma));
        return items.DrainToImmutable();
    }
}
