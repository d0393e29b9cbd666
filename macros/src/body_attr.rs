//! `#[growable]` and `#[preemptible]`: the function keeps its signature, the body gets something at its
//! head.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ReturnType, Type};

use crate::errors::Errors;
use crate::function::{self, Function};

const GROWABLE_FORM: &str = "`#[gaggle::growable] fn depth(tree: &Tree) -> usize { .. }`";
const PREEMPTIBLE_FORM: &str = "`#[gaggle::preemptible] fn hash(data: &[u8]) -> u64 { .. }`";

/// `#[growable]`: the body becomes a closure that runs on a new segment when the stack is short.
pub(crate) fn growable(args: TokenStream, item: TokenStream) -> TokenStream {
    expand("growable", GROWABLE_FORM, args, item, |function| {
        let body = &function.body;
        let output = closure_output(&function.sig.output);
        function.body = braces(quote!(::gaggle::stack::growable(move || #output #body)));
        Ok(())
    })
}

/// `#[preemptible]`: every loop of the body asks at its head whether the time slice is over.
pub(crate) fn preemptible(args: TokenStream, item: TokenStream) -> TokenStream {
    expand("preemptible", PREEMPTIBLE_FORM, args, item, |function| {
        let mut block: Block = syn::parse2(function.body.to_token_stream())?;
        Checkpoints.visit_block_mut(&mut block);
        function.body = braces(block.stmts.iter().map(ToTokens::to_token_stream).collect());
        Ok(())
    })
}

fn expand(
    name: &str,
    form: &str,
    args: TokenStream,
    item: TokenStream,
    change: impl FnOnce(&mut Function) -> syn::Result<()>,
) -> TokenStream {
    let mut errors = Errors::default();
    function::refuse_arguments(name, &args, &mut errors);
    let changed = function::read(name, form, &item).and_then(|mut function| {
        function::refuse_async_and_const(name, form, &function.sig, &mut errors);
        change(&mut function)?;
        Ok(function)
    });
    match errors.keep(changed) {
        Some(function) if errors.is_empty() => function.into_token_stream(),
        _ => {
            let errors = errors.to_tokens();
            quote!(#errors #item)
        }
    }
}

fn braces(content: TokenStream) -> proc_macro2::Group {
    proc_macro2::Group::new(proc_macro2::Delimiter::Brace, content)
}

/// The return type for the closure, so that `return` and `?` in it know theirs. A closure cannot say
/// `impl Trait`; there its body tells.
fn closure_output(output: &ReturnType) -> Option<&ReturnType> {
    struct FindsImpl(bool);
    impl<'ast> syn::visit::Visit<'ast> for FindsImpl {
        fn visit_type(&mut self, ty: &'ast Type) {
            self.0 |= matches!(ty, Type::ImplTrait(_));
            syn::visit::visit_type(self, ty);
        }
    }
    let mut finds = FindsImpl(false);
    syn::visit::Visit::visit_return_type(&mut finds, output);
    (!finds.0).then_some(output)
}

/// Puts a checkpoint at the head of each loop's body. Constants are passed by (nothing can be called
/// there), and so are items, which are functions of their own.
struct Checkpoints;

impl Checkpoints {
    fn add(block: &mut Block) {
        block.stmts.insert(0, syn::parse_quote!(::gaggle::checkpoint();));
    }
}

impl VisitMut for Checkpoints {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        match expr {
            Expr::Loop(expr) => Self::add(&mut expr.body),
            Expr::While(expr) => Self::add(&mut expr.body),
            Expr::ForLoop(expr) => Self::add(&mut expr.body),
            _ => {}
        }
    }

    fn visit_expr_repeat_mut(&mut self, repeat: &mut syn::ExprRepeat) {
        self.visit_expr_mut(&mut repeat.expr);
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {}
    fn visit_expr_const_mut(&mut self, _: &mut syn::ExprConst) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, _: &mut syn::Pat) {}
    fn visit_generic_argument_mut(&mut self, _: &mut syn::GenericArgument) {}
}
